//! Names that a directory accepts and Windows does not, or the other way round.

use gmsa_core::printable::printable;

/// The longest name of an account, without `$`: longer ones do not work in a credential spec.
const MAXIMUM_LENGTH: usize = 15;
/// Characters that a SAM name may not contain (MS-SAMR, section 3.1.1.6).
const FORBIDDEN: &str = "\"/\\[]:;|=,+*?<>@";

/// A name that no account should have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// There is none.
    #[error("the name is empty")]
    Empty,
    /// It is too long.
    #[error(
        "the name {0} is {1} characters long, and Windows cuts it to 15 in a credential spec: take a \
         shorter one"
    )]
    Long(String, usize),
    /// It contains a character that no account name may contain.
    #[error(
        "the name \"{}\" is not valid: take letters, digits, - and _, and no domain", printable(.0)
    )]
    Characters(String),
}

/// The name without `$`, if an account may have it.
pub fn valid_name(name: &str) -> Result<&str, InvalidName> {
    let name = name.strip_suffix('$').unwrap_or(name);
    let length = name.chars().count();
    let bad = |character: char| {
        FORBIDDEN.contains(character)
            || character.is_control()
            || character.is_whitespace()
            || character == '$'
    };
    if name.is_empty() {
        Err(InvalidName::Empty)
    } else if name.contains(bad) || name.ends_with('.') {
        Err(InvalidName::Characters(name.to_owned()))
    } else if length > MAXIMUM_LENGTH {
        Err(InvalidName::Long(name.to_owned(), length))
    } else {
        Ok(name)
    }
}

/// Whether a text is a service principal name: `CLASS/HOST`, with a port and a name after it or not
/// (MS-ADTS, section 5.1.1.4).
#[must_use]
pub fn is_valid_spn(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    (2..=3).contains(&parts.len())
        && parts.iter().all(|part| !part.is_empty())
        && !text.contains(|character: char| character.is_whitespace() || character.is_control())
}

/// Whether a text is a full DNS name of a host.
pub(super) fn is_dns_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 255 && text.contains('.') && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["WebApp1", "web-app_1", "a", "fifteen-letters", "Grün"] {
            assert_eq!(valid_name(name), Ok(name));
            assert_eq!(valid_name(&format!("{name}$")), Ok(name));
        }
        for (name, why) in [
            ("", "empty"),
            ("$", "empty"),
            ("sixteen-letters-", "16 characters"),
            ("CONTOSO\\web", "not valid"),
            ("web@contoso.com", "not valid"),
            ("web app", "not valid"),
            ("web$$", "not valid"),
            ("web.", "not valid"),
            ("CN=web", "not valid"),
        ] {
            let error = valid_name(name).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }

    #[test]
    fn service_principal_names() {
        for spn in ["http/web", "http/web.contoso.com:8080", "MSSQLSvc/db.contoso.com/db"] {
            assert!(is_valid_spn(spn), "{spn}");
        }
        for spn in ["", "http", "http/", "/web", "a/b/c/d", "http/we b"] {
            assert!(!is_valid_spn(spn), "{spn}");
        }
    }

    #[test]
    fn dns_names() {
        assert!(is_dns_name("web.contoso.com"));
        for name in ["", "web", "web..com", "-web.com", "web.com.", "we b.com"] {
            assert!(!is_dns_name(name), "{name}");
        }
    }
}
