//! Names of fields and options with secret values.

use gmsa_core::diagnosis;
use gmsa_core::finding::Code;

/// Parts of names.
const PARTS: [&str; 20] = [
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accountkey",
    "sharedaccess",
    "privatekey",
    "connectionstring",
    "credential",
    "authorization",
    "plugininput",
    "cookie",
    "signature",
    "encodedcommand",
    "subscriptionkey",
];
/// Whole names.
const WHOLE: [&str; 7] = ["pass", "pw", "auth", "sig", "sas", "apipass", "userpass"];
/// Ends of names of what leads to a secret and is none.
const LEADS: [&str; 24] = [
    "name",
    "names",
    "ref",
    "refs",
    "uri",
    "url",
    "id",
    "type",
    "path",
    "file",
    "seconds",
    "count",
    "length",
    "policy",
    "provider",
    "namespace",
    "passwords",
    "secrets",
    "tokens",
    "credentials",
    "expiry",
    "enabled",
    "mode",
    "class",
];
/// What is called by the name of a secret here and is none.
const OURS: [&str; 3] = ["credentialspec", "credspec", "serviceaccounttoken"];
/// Flags of well-known programs whose value is a password.
const SHORT: [&str; 5] = ["p", "pw", "enc", "ec", "e"];

/// Whether a name is that of a secret: `DB_PASSWORD`, `client-secret`, `sig`.
pub fn is_secret(name: &str) -> bool {
    // A finding about a password is none.
    if Code::from_id(name).is_some() || diagnosis::find(name).is_some() {
        return false;
    }
    let name: String =
        name.chars().filter(|one| one.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if OURS.iter().any(|ours| name.contains(ours)) || LEADS.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    WHOLE.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a word of a command line is a flag, or with `whole` any name, whose value is a secret.
pub fn is_flag(word: &str, whole: bool) -> bool {
    let name = word.trim_start_matches(['-', '/']);
    let is_flag = name.len() < word.len();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return false;
    }
    (is_flag || whole) && is_secret(name)
        || is_flag && SHORT.iter().any(|short| name.eq_ignore_ascii_case(short))
}
