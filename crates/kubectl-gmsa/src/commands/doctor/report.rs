//! The report of the doctor as data.

use gmsa_core::diagnosis::{Cause, Outcome, Verdict};
use gmsa_core::names::API_VERSION;
use schemars::JsonSchema;
use serde::Serialize;

use crate::checks::report::OutcomeReport;

/// The report of `kubectl gmsa doctor -o json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of the format.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// `DoctorReport`.
    kind: &'static str,
    /// Major and minor version of the API server, if one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes: Option<String>,
    /// The pod or workload in question, as it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// The verdict.
    verdict: VerdictReport,
    /// What each check came to.
    outcomes: Vec<OutcomeReport>,
}

/// The verdict.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VerdictReport {
    /// `healthy`, `undecided`, `troubled` or `broken`.
    health: &'static str,
    /// The causes; the root cause first.
    causes: Vec<CauseReport>,
    /// How many checks could not be made.
    unknown: usize,
}

/// One cause.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CauseReport {
    /// The check that found it.
    check: &'static str,
    /// On what.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// What was seen.
    message: String,
    /// How sure it is: `certain`, `likely` or `possible`.
    confidence: &'static str,
    /// What to do.
    next: String,
    /// The checks that fail because of it.
    consequences: Vec<&'static str>,
}

/// The schema of the report.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).into()
}

impl Report {
    /// Major and minor version of the API server, if one was asked.
    pub fn kubernetes(&self) -> Option<&str> {
        self.kubernetes.as_deref()
    }

    pub fn new(
        kubernetes: Option<String>,
        target: Option<String>,
        outcomes: &[Outcome],
        verdict: &Verdict<'_>,
    ) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "DoctorReport",
            kubernetes,
            target,
            verdict: VerdictReport {
                health: verdict.health.as_str(),
                causes: verdict.causes.iter().map(CauseReport::from).collect(),
                unknown: verdict.unknown.len(),
            },
            outcomes: outcomes.iter().map(OutcomeReport::from).collect(),
        }
    }
}

impl From<&Cause<'_>> for CauseReport {
    fn from(cause: &Cause<'_>) -> Self {
        Self {
            check: cause.outcome.check.id,
            object: cause.outcome.object.clone(),
            message: cause.outcome.message.clone(),
            confidence: cause.confidence.as_str(),
            next: cause.outcome.next_step().to_owned(),
            consequences: cause.consequences.iter().map(|one| one.check.id).collect(),
        }
    }
}
