//! A credential spec made ready once, to be inlined into many pods.

use std::fmt;

use serde_json::Value;

use super::{canonical_json, lint};
use crate::finding::Severity;
use crate::json::escaped;

/// A credential spec's contents, ready to be inlined into a pod.
#[derive(PartialEq, Eq)]
pub struct Prepared {
    /// The canonical JSON of the `credspec` object as a JSON string, quotes included: the form in
    /// a patch, and in the pod that an API server sends.
    pub escaped: Box<str>,
    /// How many bytes the canonical JSON has.
    pub bytes: usize,
    /// How many findings of severity warning or error it has.
    pub findings: u16,
}

impl Prepared {
    /// Prepares a whole `GMSACredentialSpec` resource called `name`.
    ///
    /// Gives `None` if its `credspec` is absent, `null`, no object, or empty.
    #[must_use]
    pub fn from_object(name: &str, object: &Value) -> Option<Self> {
        let contents = object.get("credspec")?;
        if contents.as_object()?.is_empty() {
            return None;
        }
        let findings = lint(name, object)
            .iter()
            .filter(|finding| finding.code.severity() >= Severity::Warning)
            .count();
        let json = canonical_json(contents);
        Some(Self {
            escaped: escaped(&json).into_boxed_str(),
            bytes: json.len(),
            findings: u16::try_from(findings).unwrap_or(u16::MAX),
        })
    }

    /// The canonical JSON of the `credspec` object.
    #[must_use]
    pub fn json(&self) -> String {
        // It was escaped here.
        serde_json::from_str(&self.escaped).unwrap_or_default()
    }
}

/// Shows the length instead of the contents, which belong in no log.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("bytes", &self.bytes)
            .field("findings", &self.findings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
