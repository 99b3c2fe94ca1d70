//! Findings as reports have them, and as people read them.

use std::fmt::Write as _;

use gmsa_core::finding::Finding;
use schemars::JsonSchema;
use serde::Serialize;

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingReport {
    /// The stable code; see docs/findings.md.
    pub code: &'static str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// What was found.
    pub message: String,
    /// Where in the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to do.
    pub hint: &'static str,
}

impl From<&Finding> for FindingReport {
    fn from(finding: &Finding) -> Self {
        Self {
            code: finding.code.id(),
            severity: finding.severity().as_str(),
            message: finding.message.clone(),
            path: finding.path.clone(),
            hint: finding.code.remedy(),
        }
    }
}

impl FindingReport {
    /// Adds it to a text; with where it is, if that is wished.
    pub fn describe(&self, text: &mut String, with_path: bool) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<8} {}", self.severity, self.code);
        if let Some(path) = self.path.as_ref().filter(|_| with_path) {
            let _ = writeln!(text, "           at {path}");
        }
        let _ = writeln!(text, "           {}", self.message);
        let _ = writeln!(text, "           -> {}", self.hint);
    }
}
