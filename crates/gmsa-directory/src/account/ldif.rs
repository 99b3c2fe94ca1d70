//! LDIF (RFC 2849).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where a line is folded, in characters.
const WIDTH: usize = 76;

/// A record that adds an object.
pub(super) fn add(dn: &str, attributes: &[(&'static str, Vec<Vec<u8>>)]) -> String {
    let mut text = String::new();
    line(&mut text, "dn", dn.as_bytes());
    text.push_str("changetype: add\n");
    for (name, values) in attributes {
        for value in values {
            line(&mut text, name, value);
        }
    }
    text
}

/// One change of an attribute: `add`, `delete` or `replace`, and the values.
pub(super) type Step<'a> = (&'static str, &'a str, Vec<Vec<u8>>);

/// A record that changes an object.
pub(super) fn modify(dn: &str, steps: &[Step<'_>]) -> String {
    let mut text = String::new();
    line(&mut text, "dn", dn.as_bytes());
    text.push_str("changetype: modify\n");
    for (how, attribute, values) in steps {
        line(&mut text, how, attribute.as_bytes());
        for value in values {
            line(&mut text, attribute, value);
        }
        text.push_str("-\n");
    }
    text
}

fn line(text: &mut String, name: &str, value: &[u8]) {
    let line = match std::str::from_utf8(value) {
        Ok(value) if is_safe(value) => format!("{name}: {value}"),
        _ => format!("{name}:: {}", STANDARD.encode(value)),
    };
    // Safe values and base64 are ASCII.
    let mut width = 0;
    for character in line.chars() {
        if width == WIDTH {
            text.push_str("\n ");
            width = 1;
        }
        text.push(character);
        width += 1;
    }
    let _ = writeln!(text);
}

/// `SAFE-STRING`, without a space at the end.
fn is_safe(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii() && !matches!(byte, 0 | b'\n' | b'\r'))
        && !value.starts_with([' ', ':', '<'])
        && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change() {
        let steps: [Step<'_>; 2] = [
            ("delete", "description", vec![b"old".to_vec()]),
            ("add", "description", vec![b"new".to_vec()]),
        ];
        assert_eq!(
            modify("CN=web", &steps),
            "dn: CN=web\nchangetype: modify\ndelete: description\ndescription: old\n-\n\
             add: description\ndescription: new\n-\n"
        );
    }

    #[test]
    fn a_record() {
        let long = "x".repeat(100);
        let attributes = [
            ("cn", vec![b"plain".to_vec(), " space".into(), "Gr\u{fc}n".into()]),
            ("description", vec![long.clone().into_bytes()]),
            ("objectSid", vec![vec![1, 0, 255]]),
        ];
        let text = add("CN=plain,DC=contoso,DC=com", &attributes);
        assert_eq!(
            text,
            format!(
                "dn: CN=plain,DC=contoso,DC=com\nchangetype: add\ncn: plain\ncn:: IHNwYWNl\n\
                 cn:: R3LDvG4=\ndescription: {}\n {}\nobjectSid:: AQD/\n",
                &long[..63],
                &long[63..]
            )
        );
    }
}
