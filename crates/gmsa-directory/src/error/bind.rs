//! Why a user was not accepted.

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
    let (why, remedy) = explain(result);
    Error::Bind { server: server.to_owned(), user: user.to_owned(), why, remedy }
}

fn explain(result: &LdapResult) -> (String, &'static str) {
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
        rc => (
            super::operation::words(rc, &result.text),
            "see whether this user may log on to the controller",
        ),
    }
}
