//! The outcome of a check as data.

use gmsa_core::diagnosis::Outcome;
use schemars::JsonSchema;
use serde::Serialize;

/// What a check came to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeReport {
    /// The check's stable id.
    check: &'static str,
    /// Where it looks: `cluster`, `directory`, `node` or `pod`.
    side: &'static str,
    /// What it asks.
    title: &'static str,
    /// `ok`, `skipped`, `unknown`, `warning` or `problem`.
    state: &'static str,
    /// On what.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// What was seen.
    message: String,
    /// What it rests on.
    evidence: Vec<String>,
    /// How sure it is: `certain`, `likely` or `possible`.
    confidence: &'static str,
    /// What to do; empty if nothing.
    next: String,
    /// Where the check is documented.
    page: String,
}

impl From<&Outcome> for OutcomeReport {
    fn from(outcome: &Outcome) -> Self {
        Self {
            check: outcome.check.id,
            side: outcome.check.side.as_str(),
            title: outcome.check.title,
            state: outcome.state.as_str(),
            object: outcome.object.clone(),
            message: outcome.message.clone(),
            evidence: outcome.evidence.clone(),
            confidence: outcome.confidence.as_str(),
            next: outcome.next_step().to_owned(),
            page: outcome.check.page(),
        }
    }
}
