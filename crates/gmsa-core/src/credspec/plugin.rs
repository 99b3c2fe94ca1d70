//! The plug-ins through which a host outside the domain gets an account's password, and the format
//! of the input of each.

use serde_json::{Map, Value, json};

use super::name::is_valid_name;

/// A plug-in of the container credential guard.
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    /// The word for it on the command line.
    pub id: &'static str,
    /// Its name as users know it.
    pub name: &'static str,
    /// Its class identifier, without braces; upper and lower case are the same.
    pub guid: &'static str,
    /// What `PluginInput` looks like.
    pub format: &'static str,
    /// Whether the format contains a password in plain text.
    pub takes_password: bool,
    fits: fn(&str) -> bool,
}

impl Plugin {
    /// Whether a `PluginInput` has the plug-in's format.
    #[must_use]
    pub fn fits(&self, input: &str) -> bool {
        (self.fits)(input)
    }
}

/// The plug-ins that are known, from their documentation.
pub const PLUGINS: &[Plugin] = &[
    Plugin {
        id: "aks",
        name: "AKS Key Vault",
        guid: "CCC2A336-D7F3-4818-A213-272B7924213E",
        format: "ObjectId=<managed identity>;SecretUri=https://<vault>/secrets/<name>",
        takes_password: false,
        fits: fits_aks,
    },
    Plugin {
        id: "aws",
        name: "AWS",
        guid: "859E1386-BDB4-49E8-85C7-3070B13920E1",
        format: r#"{"credentialArn":"arn:…"} as a string"#,
        takes_password: false,
        fits: fits_aws,
    },
    Plugin {
        id: "rancher",
        name: "Rancher",
        guid: "E4781092-F116-4B79-B55E-28EB6A224E26",
        format: "<namespace>:<secret>",
        takes_password: false,
        fits: fits_rancher,
    },
    Plugin {
        id: "plaintext",
        name: "plain-text proof of concept",
        guid: "DEFFF03C-3245-465F-8391-CC586A2D1F32",
        format: "<user>@<domain>:<password>",
        takes_password: true,
        fits: fits_user_and_password,
    },
];

/// The known plug-in with that class identifier, written without braces.
#[must_use]
pub fn by_guid(guid: &str) -> Option<&'static Plugin> {
    PLUGINS.iter().find(|plugin| plugin.guid.eq_ignore_ascii_case(guid))
}

/// The known plug-in with that word on the command line.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Plugin> {
    PLUGINS.iter().find(|plugin| plugin.id == id)
}

/// The `PluginInput` of the AWS plug-in as a string, of the object that Amazon ECS has there:
/// `{"CredentialArn": "arn:…"}`. None if it is another object.
#[must_use]
pub fn aws_input(object: &Value) -> Option<String> {
    let mut entries = object.as_object()?.iter();
    let (Some((_, arn)), None) = (entries.next(), entries.next()) else { return None };
    fits_aws(&object.to_string()).then(|| json!({ "credentialArn": arn }).to_string())
}

/// Whether a `PluginInput` seems to contain a password: `user@domain:password`,
/// `domain\user:password`, `domain:user:password` (the example in Microsoft's documents), or a key
/// such as `password` with a value.
///
/// Only for inputs that do not have a known plug-in's format: a secret's own name may well be
/// `password`.
#[must_use]
pub fn looks_like_password(input: &str) -> bool {
    fits_user_and_password(input) || fits_domain_user_password(input) || has_password_key(input)
}

fn fits_aks(input: &str) -> bool {
    let (mut object_id, mut secret_uri) = (0, 0);
    for part in input.split(';').filter(|part| !part.trim().is_empty()) {
        let Some((key, value)) = part.split_once('=') else {
            return false;
        };
        let value = value.trim();
        match key.trim() {
            key if key.eq_ignore_ascii_case("ObjectId") && !value.is_empty() => object_id += 1,
            key if key.eq_ignore_ascii_case("SecretUri") && is_secret_uri(value) => secret_uri += 1,
            _ => return false,
        }
    }
    (object_id, secret_uri) == (1, 1)
}

/// `https://<vault>/secrets/<name>`, with the secret's version after it or not.
fn is_secret_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return false;
    };
    let segments: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    let plain = |text: &&str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte))
    };
    let known = matches!(segments.as_slice(), [_, "secrets", _] | [_, "secrets", _, _]);
    scheme.eq_ignore_ascii_case("https") && known && segments.iter().all(plain)
}

fn fits_aws(input: &str) -> bool {
    let Ok(map) = serde_json::from_str::<Map<String, Value>>(input) else {
        return false;
    };
    let mut entries = map.iter();
    let (Some((key, Value::String(arn))), None) = (entries.next(), entries.next()) else {
        return false;
    };
    // arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let complete = parts.len() == 6 && parts.iter().all(|part| !part.is_empty());
    key.eq_ignore_ascii_case("credentialArn") && complete && parts.first() == Some(&"arn")
}

fn fits_rancher(input: &str) -> bool {
    input
        .split_once(':')
        .is_some_and(|(namespace, secret)| is_valid_name(namespace) && is_valid_name(secret))
}

/// `user@domain:password` or `domain\user:password`: the password may have any character.
fn fits_user_and_password(input: &str) -> bool {
    input.split_once(':').is_some_and(|(user, password)| {
        !password.is_empty() && user.contains(['@', '\\']) && !user.contains(['{', '=', '/'])
    })
}

/// `contoso.com:user:password` or `CONTOSO:user:password`.
fn fits_domain_user_password(input: &str) -> bool {
    let mut parts = input.splitn(3, ':');
    let (Some(domain), Some(user), Some(password)) = (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_netbios = || {
        domain.len() <= 15 && domain != "ARN" && !domain.bytes().any(|one| one.is_ascii_lowercase())
    };
    !domain.is_empty()
        && domain.bytes().all(of_name)
        && (domain.trim_matches('.').contains('.') || is_netbios())
        && !user.trim().is_empty()
        && !user.bytes().all(|byte| byte.is_ascii_digit())
        && !password.trim().is_empty()
}

fn has_password_key(input: &str) -> bool {
    const KEYS: [&str; 4] = ["password", "passwd", "passphrase", "pwd"];
    let lower = input.to_ascii_lowercase();
    KEYS.iter().any(|key| {
        lower.match_indices(key).any(|(start, _)| {
            let after = lower.get(start + key.len()..).unwrap_or_default();
            // The key may be in quotes, which may be escaped.
            let after = after.trim_start_matches(['"', '\'', '\\', ' ']);
            after
                .strip_prefix(['=', ':'])
                .is_some_and(|value| !value.trim_matches(['"', '\'', '\\', ' ', '}']).is_empty())
        })
    })
}

#[cfg(test)]
mod tests;
