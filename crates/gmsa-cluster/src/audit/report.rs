//! The report: printed as JSON, stored in a cluster, and the source of the other formats that are
//! made from.

use gmsa_core::finding::Severity;
use gmsa_core::names::API_VERSION;
use k8s_openapi::jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Audit, Finding, Scope};

/// How many lines of what could not be read are kept of a report that must not be large.
const UNREAD: usize = 20;

/// The report of `kubectl gmsa audit`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of the format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: &'static str,
    /// `AuditReport`.
    pub kind: &'static str,
    /// When the audit was made (RFC 3339).
    pub time: String,
    /// The namespace, if the audit was limited to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The time (RFC 3339) from which on pods were judged by their creation, if not all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What could not be read, and why: there may be more than was found.
    pub unread: Vec<String>,
    /// The numbers.
    pub summary: Summary,
    /// Everything found, the worst first.
    pub findings: Vec<FindingReport>,
    /// How many further findings are left out, because the report is kept where it must not be
    /// large; the numbers count them.
    pub left_out: usize,
}

/// The numbers of a report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Pods that have not ended.
    pub pods: usize,
    /// Those of them that use a GMSA.
    pub gmsa_pods: usize,
    /// Workloads that use a GMSA and are not part of another.
    pub gmsa_workloads: usize,
    /// Credential specs of the cluster.
    pub credential_specs: usize,
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
    /// Findings of severity info.
    pub infos: usize,
}

/// One thing found on one object.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingReport {
    /// The stable code; see docs/findings.md.
    pub code: &'static str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// The kind of the object.
    pub kind: String,
    /// The namespace of the object, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name of the object.
    pub name: String,
    /// What was found.
    pub message: String,
    /// The object as people name it.
    #[serde(skip)]
    pub label: String,
    /// By what it is seen.
    pub evidence: Vec<String>,
    /// What to do.
    pub remedy: String,
}

/// The JSON schema of the report: docs/schemas/audit-report.schema.json.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

impl Report {
    /// The report of an audit that ended at this time.
    #[must_use]
    pub fn new(audit: &Audit, scope: &Scope, time: Timestamp) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "AuditReport",
            time: time.to_string(),
            namespace: scope.namespace.clone(),
            since: scope.since.map(|since| since.to_string()),
            unread: audit.unread.clone(),
            summary: Summary {
                pods: audit.pods,
                gmsa_pods: audit.gmsa_pods,
                gmsa_workloads: audit.gmsa_workloads,
                credential_specs: audit.credential_specs,
                errors: audit.count(Severity::Error),
                warnings: audit.count(Severity::Warning),
                infos: audit.count(Severity::Info),
            },
            findings: audit.findings.iter().map(FindingReport::new).collect(),
            left_out: 0,
        }
    }

    /// The report with as many of its findings, the worst first, as are this long in JSON together.
    pub(super) fn within(mut self, bytes: usize) -> Self {
        let kept = fitting(&self.findings, bytes);
        self.left_out = self.findings.len() - kept;
        self.findings.truncate(kept);
        if self.unread.len() > UNREAD {
            let more = self.unread.len() - UNREAD;
            self.unread.truncate(UNREAD);
            self.unread.push(format!("and {more} more"));
        }
        self
    }
}

impl FindingReport {
    fn new(finding: &Finding) -> Self {
        Self {
            code: finding.code.id(),
            severity: finding.code.severity().as_str(),
            kind: finding.object.kind.clone(),
            namespace: finding.object.namespace.clone(),
            name: finding.object.name.clone(),
            message: finding.message.clone(),
            label: finding.object.to_string(),
            evidence: finding.evidence.clone(),
            remedy: finding.remedy.clone(),
        }
    }
}

/// How many of the values, from the first on, are this long in JSON together.
pub(super) fn fitting<T: Serialize>(values: &[T], bytes: usize) -> usize {
    let mut left = bytes;
    for (index, value) in values.iter().enumerate() {
        // With the comma between them.
        let length = serde_json::to_string(value).map_or(usize::MAX, |text| text.len() + 1);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    values.len()
}
