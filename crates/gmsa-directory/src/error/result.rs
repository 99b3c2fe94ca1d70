//! What a result of LDAP means: why a user was not accepted, or an operation refused.

use ldap3::LdapResult;

use super::Error;

/// The reasons that Active Directory gives in the text of result 49, `…, data CODE, …`: error codes
/// of Windows in hexadecimal.
const REASONS: [(&str, &str, &str); 10] = [
    (
        "525",
        "there is no such user",
        "write it as user@domain or DOMAIN\\user; a computer's name ends with $",
    ),
    (
        "52e",
        "the user or the password is wrong",
        "write the user as user@domain or DOMAIN\\user, and see that the password file holds the password alone",
    ),
    (
        "35b",
        "the channel binding is missing or not that of this connection",
        "connect to the controller itself: a proxy or load balancer that ends TLS on the way breaks the \
         binding; over LDAPS a simple bind (--bind-user) needs none",
    ),
    ("530", "the user may not log on at this time", "use another user, or change its logon hours"),
    (
        "531",
        "the user may not log on from here",
        "use another user, or change the computers it may log on to",
    ),
    ("532", "the password has expired", "set a new one"),
    ("533", "the account is disabled", "enable it, or use another user"),
    ("701", "the account has expired", "use another user, or change the day on which it expires"),
    ("773", "the password must be changed first", "set a new one"),
    (
        "775",
        "the account is locked after too many wrong passwords",
        "unlock it or wait until the lock ends, and do not try again before",
    ),
];

/// Explains the answer to a bind.
pub(crate) fn bind(server: &str, user: &str, result: &LdapResult) -> Error {
    let (why, remedy) = explain_bind(result);
    Error::Bind { server: server.to_owned(), user: user.to_owned(), why, remedy }
}

fn explain_bind(result: &LdapResult) -> (String, &'static str) {
    let code = result.text.split("data ").nth(1).map(|rest| {
        rest.split(|character: char| !character.is_ascii_hexdigit()).next().unwrap_or_default()
    });
    if let Some((code, why, remedy)) =
        REASONS.iter().find(|(known, ..)| code.is_some_and(|code| code.eq_ignore_ascii_case(known)))
    {
        return (format!("{why} (data {code})"), remedy);
    }
    match result.rc {
        8 => (
            "the controller demands a stronger way to log on".to_owned(),
            "see its settings of LDAP signing and channel binding",
        ),
        rc => (words(rc, &result.text), "see whether this user may log on to the controller"),
    }
}

/// Explains the answer to an operation; `what` is the operation and its object.
pub(crate) fn operation(server: &str, what: &str, result: &LdapResult) -> Error {
    let (why, remedy) = explain(result);
    Error::Operation {
        server: server.to_owned(),
        what: what.to_owned(),
        why,
        remedy,
        code: result.rc,
    }
}

/// Results of RFC 4511, appendix A, as Active Directory and Samba use them.
fn explain(result: &LdapResult) -> (String, &'static str) {
    let text = result.text.to_ascii_lowercase();
    let (why, remedy) = match result.rc {
        // NTE_NO_KEY: the group key distribution service has none.
        32 | 53 if text.contains("8009000d") => (
            "the forest has no KDS root key that can be used yet",
            "an administrator makes one with Add-KdsRootKey (samba-tool domain kds root-key create); \
             it can be used 10 hours later",
        ),
        1 if text.contains("4dc") || text.contains("authentication") || text.contains("bind") => {
            ("no user is logged on", "give a user with --bind-user and --password-file")
        }
        10 => (
            "it belongs to another domain, to which the controller refers",
            "name a controller of that domain with --dc",
        ),
        16 => {
            ("the attribute does not exist", "check the account again: something else changed it")
        }
        19 => (
            "a value is not allowed: it may be an SPN that another account has, or an interval that \
             cannot be changed later",
            "correct the value; `account check` finds SPNs that are taken",
        ),
        20 => ("the value exists already", "check the account again: something else changed it"),
        32 => ("the object or its container does not exist", "correct the distinguished name"),
        34 => ("the distinguished name is not valid", "correct it"),
        50 => (
            "the user lacks the right",
            "log on as a user who may do it, or have the right delegated",
        ),
        51 | 52 => {
            ("the controller is busy or shutting down", "try again, or use another with --dc")
        }
        53 => ("the controller will not do it", "see the text of the controller"),
        65 => (
            "an attribute that every such object has is missing",
            "this is a mistake of this program: please report it",
        ),
        68 => ("there is an object of that name already", "take another name, or use that object"),
        3 | 4 | 11 => ("the answer would be too large or take too long", "ask for less"),
        rc => return (words(rc, &result.text), "see the text of the controller"),
    };
    (format!("{why} ({})", words(result.rc, &result.text)), remedy)
}

/// The result as it came, on one line.
fn words(code: u32, text: &str) -> String {
    let text: Vec<&str> = text
        .split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|w| !w.is_empty())
        .collect();
    if text.is_empty() {
        format!("LDAP result {code}")
    } else {
        format!("LDAP result {code}, {}", text.join(" "))
    }
}
