//! The report: what is printed as JSON, and what the other formats are made from.

use gmsa_cluster::audit::{Audit, Finding};
use gmsa_core::finding::Severity;
use k8s_openapi::jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The report of `kubectl gmsa audit`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// `kube-gmsa.dev/v1`.
    api_version: &'static str,
    /// `AuditReport`.
    kind: &'static str,
    /// The namespace, if only one was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// The time (RFC 3339) from which on pods were judged by their creation, if not all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// What could not be read, and why: there may be more than was found.
    unread: Vec<String>,
    /// The numbers.
    pub(super) summary: Summary,
    /// Everything found, the worst first.
    pub(super) findings: Vec<FindingReport>,
}

/// The numbers of a report.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    /// Pods that have not ended.
    pub(super) pods: usize,
    /// Those of them that use a GMSA.
    pub(super) gmsa_pods: usize,
    /// Workloads that use a GMSA and are not part of another.
    pub(super) gmsa_workloads: usize,
    /// Credential specs of the cluster.
    pub(super) credential_specs: usize,
    /// Findings of severity error.
    pub(super) errors: usize,
    /// Findings of severity warning.
    pub(super) warnings: usize,
    /// Findings of severity info.
    pub(super) infos: usize,
}

/// One thing found on one object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FindingReport {
    /// The stable code; see docs/findings.md.
    pub(super) code: &'static str,
    /// `error`, `warning` or `info`.
    pub(super) severity: &'static str,
    /// The kind of the object.
    kind: String,
    /// The namespace of the object, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// The name of the object.
    name: String,
    /// What was found.
    pub(super) message: String,
    /// The object as people name it.
    #[serde(skip)]
    pub(super) label: String,
    /// By what it is seen.
    pub(super) evidence: Vec<String>,
    /// What to do.
    pub(super) remedy: String,
}

/// The JSON schema of the report: docs/schemas/audit-report.schema.json.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

impl Report {
    pub(super) fn new(audit: &Audit, namespace: Option<&str>, since: Option<Timestamp>) -> Self {
        Self {
            api_version: "kube-gmsa.dev/v1",
            kind: "AuditReport",
            namespace: namespace.map(str::to_owned),
            since: since.map(|since| since.to_string()),
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
        }
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
