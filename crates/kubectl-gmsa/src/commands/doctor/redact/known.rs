//! Secrets that were found once, and are removed everywhere.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::REDACTED;

/// What is written in hexadecimal in a URL (RFC 3986).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Shorter values are not searched for elsewhere: `true` and `80` occur everywhere.
const SHORTEST: usize = 6;
/// The keys whose values are not secret, wherever they are repeated.
const PUBLIC: [&str; 26] = [
    "name",
    "namespace",
    "kind",
    "apiVersion",
    "image",
    "nodeName",
    "serviceAccountName",
    "serviceAccount",
    "hostname",
    "DnsName",
    "DnsTreeName",
    "NetBiosName",
    "MachineAccountName",
    "Sid",
    "Guid",
    "Name",
    "Scope",
    "PluginGUID",
    "gmsaCredentialSpecName",
    "mountPath",
    "reason",
    "phase",
    "type",
    "address",
    "kubeletVersion",
    "osImage",
];

/// Secrets, removed longest first, and values known not to be secret.
#[derive(Default)]
pub struct Known {
    secrets: BTreeSet<String>,
    public: BTreeSet<String>,
}

impl Known {
    /// Learns values that are not secret.
    pub fn publish(&mut self, value: &Value) {
        match value {
            Value::Array(elements) => elements.iter().for_each(|one| self.publish(one)),
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        // The name of a variable is none of its value.
                        Value::String(text) if PUBLIC.contains(&name.as_str()) => {
                            self.public.insert(text.to_lowercase());
                        }
                        Value::Object(labels) if name == "labels" || name == "matchLabels" => {
                            let texts = labels.values().filter_map(Value::as_str);
                            self.public.extend(texts.map(str::to_lowercase));
                        }
                        value => self.publish(value),
                    }
                }
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Learns a secret.
    pub fn learn(&mut self, secret: &str) {
        let bare = secret.trim();
        for secret in [secret, bare] {
            if secret.chars().count() >= SHORTEST && !self.public.contains(&secret.to_lowercase()) {
                self.secrets.extend(spellings(secret));
            }
        }
        // Of a text of several lines each is one.
        if bare.lines().nth(1).is_some() {
            for line in bare.lines().map(str::trim) {
                self.learn(line);
            }
        }
    }

    /// The text without the secrets; none if none is in it.
    pub fn remove(&self, text: &str) -> Option<String> {
        let mut found: Vec<&String> =
            self.secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
        if found.is_empty() {
            return None;
        }
        // A secret may be part of another.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut text = text.to_owned();
        for secret in found {
            text = text.replace(secret.as_str(), REDACTED);
        }
        Some(text)
    }
}

/// Whether a text is more than an ordinary word or a number: only then is it removed elsewhere
/// without a sign that it is secret.
pub fn is_odd(text: &str) -> bool {
    let kinds: [fn(char) -> bool; 4] = [
        |one| one.is_lowercase(),
        |one| one.is_uppercase(),
        |one| one.is_numeric(),
        |one| !one.is_alphanumeric(),
    ];
    text.chars().count() >= 8 && kinds.iter().filter(|kind| text.chars().any(kind)).count() > 1
}

/// How a text is written in JSON, in a URL and in a Secret.
fn spellings(secret: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([secret.to_owned()]);
    let json = Value::from(secret).to_string();
    found.insert(json.trim_matches('"').to_owned());
    found.insert(utf8_percent_encode(secret, &RESERVED).to_string());
    // The last character depends on what follows, unless it ends a group of four.
    let mut base64 = STANDARD_NO_PAD.encode(secret);
    if !base64.len().is_multiple_of(4) {
        base64.pop();
    }
    found.insert(base64);
    found.retain(|spelling| spelling.chars().count() >= SHORTEST);
    found
}
