//! Distinguished names in their string form (RFC 4514), and whether two of them are the same.

/// The attribute types that have a name in the string form, with their object identifiers (RFC 4514,
/// section 3). `DC` and `UID` are of RFC 4519.
const TYPES: [(&str, &str); 9] = [
    ("2.5.4.3", "cn"),
    ("2.5.4.6", "c"),
    ("2.5.4.7", "l"),
    ("2.5.4.8", "st"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "o"),
    ("2.5.4.11", "ou"),
    ("0.9.2342.19200300.100.1.25", "dc"),
    ("0.9.2342.19200300.100.1.1", "uid"),
];

/// An attribute type in lower case, and its value without escapes and in lower case. The bytes of a value
/// written as `#HEX` stay in that form.
type Attribute = (String, Vec<u8>);

/// Whether two distinguished names are the same, whatever characters each escapes, whatever the case, and with
/// or without spaces around `,`, `+` and `=`. A text that is not a distinguished name is the same as no other.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    read(one).is_some_and(|one| Some(one) == read(other))
}

/// The relative distinguished names, each with its attributes in order of their types.
fn read(text: &str) -> Option<Vec<Vec<Attribute>>> {
    let mut names = Vec::new();
    for name in split(text, ',') {
        let mut attributes: Vec<Attribute> =
            split(name, '+').map(attribute).collect::<Option<_>>()?;
        attributes.sort();
        names.push(attributes);
    }
    Some(names)
}

/// The parts between characters that no backslash is before.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |character| {
        let separates = character == at && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        separates
    })
}

fn attribute(text: &str) -> Option<Attribute> {
    let (kind, value) = text.split_once('=')?;
    let kind = kind.trim().to_lowercase();
    if kind.is_empty() {
        return None;
    }
    let named = TYPES.iter().find(|(oid, _)| *oid == kind);
    let kind = named.map_or(kind.as_str(), |(_, name)| name).to_owned();
    Some((kind, unescaped(value)?))
}

/// A value as it is meant. White space around it is not of it unless it is escaped.
fn unescaped(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // Up to where spaces may not be removed.
    let mut kept = 0;
    let mut rest = value.trim_start_matches(' ').bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            if byte != b' ' {
                kept = bytes.len();
            }
            continue;
        }
        let first = rest.next()?;
        match hex(first) {
            Some(high) => bytes.push(high << 4 | hex(rest.next()?)?),
            None => bytes.push(first),
        }
        kept = bytes.len();
    }
    bytes.truncate(kept);
    Some(match String::from_utf8(bytes) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(other) => other.into_bytes(),
    })
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_many_spellings() {
        let name = r"CN=a\,b \+ c,OU=Ünder,DC=contoso,DC=com";
        for same in [
            r"CN=a\2cb \2B c,OU=Ünder,DC=contoso,DC=com",
            r"cn=A\2Cb \+ c, ou=\c3\9cnder ,dc = Contoso,DC= com",
            r"2.5.4.3=a\,b \+ c,2.5.4.11=ünder,0.9.2342.19200300.100.1.25=contoso,DC=com",
            r"CN=\61\,b\20\+\20c,OU=Ünder,DC=contoso,DC=com",
        ] {
            assert!(is_same(name, same), "{same}");
            assert!(is_same(same, name), "{same}");
        }
        assert!(is_same("CN=a+UID=b,DC=com", "uid=B+cn=A,dc=COM"));
        assert!(is_same(r"CN=a\\,DC=com", r"CN=a\5c,DC=com"));
        assert!(is_same(r"CN=\ a\ ,DC=com", r"CN=\20a\20,DC=com"));
    }

    #[test]
    fn other_names_are_others() {
        for (one, other) in [
            (r"CN=a\,b,DC=com", "CN=a,b,DC=com"),
            (r"CN=a\,b,DC=com", "CN=a,CN=b,DC=com"),
            (r"CN=a\\,CN=b,DC=com", r"CN=a\,CN=b,DC=com"),
            ("CN=a,DC=com", "CN=a,DC=org"),
            ("CN=a,DC=com", "OU=a,DC=com"),
            ("CN=a,DC=com", "CN=a"),
            ("CN=a  b,DC=com", "CN=a b,DC=com"),
            (r"CN=a\ ,DC=com", "CN=a ,DC=com"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_not_a_name_is_the_same_as_nothing() {
        for text in ["", "web", "CN=a,", "CN=a\\", r"CN=a\4", "=a", "CN=a,b"] {
            assert!(!is_same(text, text), "{text}");
        }
    }
}
