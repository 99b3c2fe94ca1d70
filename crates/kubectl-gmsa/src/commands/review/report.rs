//! The report: printed as JSON, and the source of the other formats.

use gmsa_cluster::installation::engine::differences;
use gmsa_cluster::manifests::Source;
use gmsa_core::admission::{Denial, Reason};
use gmsa_core::credspec::name::made_valid;
use gmsa_core::finding::{Finding, Severity};
use gmsa_core::names::API_VERSION;
use schemars::JsonSchema;
use serde::Serialize;

use super::DENIAL;
use super::renames::{Cure, Rename, Renames};
use super::simulate::{Place, Simulated};
use crate::output::finding::FindingReport;

/// The report of `kubectl gmsa review`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of the format.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// `ReviewReport`.
    kind: &'static str,
    /// `files`, or `cluster` with `--cluster`.
    facts: &'static str,
    /// What decides: `webhook` or `policy`.
    engine: &'static str,
    /// The numbers.
    pub summary: Summary,
    /// What to do first: names to write otherwise, because no object can have them.
    pub renames: Vec<Rename>,
    /// Every workload, in the order of the files.
    pub workloads: Vec<WorkloadReport>,
    /// What is found on the other objects.
    pub findings: Vec<ObjectFinding>,
}

/// The numbers of a report.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Workloads in the files.
    pub workloads: usize,
    /// Those that use a GMSA.
    pub using_gmsa: usize,
    /// Those of them that would be admitted.
    pub admitted: usize,
    /// Those of them that would be denied.
    pub denied: usize,
}

/// One workload.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadReport {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// Where in the object the pod template is, if its kind alone does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The file, `-` for standard input.
    pub file: String,
    /// The line on which the document begins.
    pub line: usize,
    /// The service account of its pods.
    pub service_account: String,
    /// `admitted`, `denied`, or `no-gmsa`.
    pub verdict: &'static str,
    /// The places that use a GMSA.
    pub places: Vec<PlaceReport>,
    /// What is questionable although it may be admitted.
    pub findings: Vec<FindingReport>,
    /// What the policy engine answers differently from the webhook, if it decides.
    pub differences: Vec<DifferenceReport>,
}

/// What the policy engine answers differently.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DifferenceReport {
    /// The stable name; see docs/engine.md.
    pub id: &'static str,
    /// What is different.
    pub message: String,
}

/// One place that uses a GMSA.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceReport {
    /// `pod`, `container`, `init container` or `ephemeral container`.
    pub place: &'static str,
    /// The name of the pod or container.
    pub name: String,
    /// The name of the credential spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_spec: Option<String>,
    /// The containers for which this place is in force.
    pub containers: Vec<String>,
    /// `admitted` or `denied`.
    pub verdict: &'static str,
    /// Why it is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denial: Option<DenialReport>,
}

/// Why a place is denied.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DenialReport {
    /// The stable name of the reason; see docs/denials.md.
    pub reason: &'static str,
    /// The code of the admission response.
    pub code: u16,
    /// The field at fault.
    pub field: String,
    /// Admission's message, without a command that would not help.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// Roles and bindings that come close to the right, and what each lacks.
    pub near_misses: Vec<String>,
}

/// A finding on an object that is not a workload.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectFinding {
    /// The object, as `GMSACredentialSpec webapp1`.
    pub object: String,
    /// The file, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line on which the document begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What was found.
    #[serde(flatten)]
    pub finding: FindingReport,
}

/// The JSON schema of the report: docs/schemas/review-report.schema.json.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

impl Report {
    pub fn new(
        simulated: &[Simulated<'_>],
        findings: Vec<ObjectFinding>,
        renames: Renames<'_>,
        from_cluster: bool,
        by_policies: bool,
    ) -> Self {
        let workload =
            |simulated: &Simulated<'_>| WorkloadReport::new(simulated, &renames, by_policies);
        let workloads: Vec<WorkloadReport> = simulated.iter().map(workload).collect();
        let count = |verdict| workloads.iter().filter(|one| one.verdict == verdict).count();
        let (admitted, denied) = (count("admitted"), count("denied"));
        let summary =
            Summary { workloads: workloads.len(), using_gmsa: admitted + denied, admitted, denied };
        Self {
            api_version: API_VERSION,
            kind: "ReviewReport",
            facts: if from_cluster { "cluster" } else { "files" },
            engine: if by_policies { "policy" } else { "webhook" },
            summary,
            renames: renames.into_list(),
            workloads,
            findings,
        }
    }

    /// The worst severity of all that was found; a denial is an error.
    pub fn worst(&self) -> Option<Severity> {
        let of_workloads = self.workloads.iter().flat_map(|workload| &workload.findings);
        let of_objects = self.findings.iter().map(|finding| &finding.finding);
        let findings = of_workloads
            .chain(of_objects)
            .filter_map(|finding| finding.severity.parse::<Severity>().ok());
        let denials = (self.summary.denied > 0).then_some(DENIAL);
        findings.chain(denials).max()
    }
}

impl WorkloadReport {
    fn new(simulated: &Simulated<'_>, renames: &Renames<'_>, by_policies: bool) -> Self {
        let denials = simulated.decision.denials();
        // A denial of the whole pod stands at no place of its own, and holds for each.
        let of_pod = denials.iter().find(|denial| denial.field.is_empty());
        let report = |place: &Place| {
            let own = denials
                .iter()
                .find(|one| !one.field.is_empty() && one.field.starts_with(&place.prefix));
            let name = place.credential_spec.as_deref().unwrap_or_default();
            let account =
                (simulated.workload.namespace.as_str(), simulated.service_account.as_str());
            let denial = own.or(of_pod).map(|denial| {
                let cure = renames.cure(denial, name, account);
                let cure = cure.or_else(|| Cure::of_absent(denial, place));
                let cure = cure.or_else(|| Cure::of_unnamed_account(denial, simulated));
                let cure = cure.or_else(|| Cure::of_repeated(denial, name, account));
                let near_misses = place.near_misses.clone();
                let mut report =
                    DenialReport { near_misses, ..DenialReport::new(denial, name, cure) };
                if by_policies {
                    report.code = differences::code(denial.reason);
                }
                report
            });
            PlaceReport::new(place, denial)
        };
        let places: Vec<PlaceReport> = simulated.places.iter().map(report).collect();
        let verdict = match (simulated.uses_gmsa, denials.is_empty()) {
            (false, true) => "no-gmsa",
            (_, true) => "admitted",
            (_, false) => "denied",
        };
        Self {
            kind: simulated.workload.kind.clone(),
            namespace: simulated.workload.namespace.clone(),
            name: simulated.workload.name.clone(),
            template: simulated.workload.path(),
            file: simulated.workload.source.file.to_string(),
            line: simulated.workload.source.line,
            service_account: simulated.service_account.clone(),
            verdict,
            places,
            findings: simulated
                .decision
                .warnings
                .iter()
                .map(|finding| FindingReport::new(finding, by_policies))
                .collect(),
            differences: simulated
                .differences
                .iter()
                .map(|(id, message)| DifferenceReport { id, message: message.clone() })
                .collect(),
        }
    }

    /// The workload as people name it.
    pub fn label(&self) -> String {
        let object = format!("{} {}/{}", self.kind, self.namespace, self.name);
        match &self.template {
            Some(template) => format!("{object} at {template}"),
            None => object,
        }
    }

    /// Whether there is something to say of it: it uses a GMSA, or is meant to.
    pub fn is_shown(&self) -> bool {
        self.verdict != "no-gmsa" || !self.findings.is_empty()
    }

    /// Why it is denied; a denial of the whole pod is listed once.
    pub fn denials(&self) -> impl Iterator<Item = &DenialReport> {
        let denials = self.places.iter().filter_map(|place| place.denial.as_ref());
        let mut of_pod_is_told = false;
        denials.filter(move |denial| {
            !denial.field.is_empty() || !std::mem::replace(&mut of_pod_is_told, true)
        })
    }
}

impl PlaceReport {
    fn new(place: &Place, denial: Option<DenialReport>) -> Self {
        Self {
            place: place.kind.label(),
            name: place.name.clone(),
            credential_spec: place.credential_spec.clone(),
            containers: place.containers.clone(),
            verdict: if denial.is_some() { "denied" } else { "admitted" },
            denial,
        }
    }

    /// The place as people name it.
    pub fn label(&self) -> String {
        if self.place == "pod" { "pod".to_owned() } else { format!("{} {}", self.place, self.name) }
    }
}

impl DenialReport {
    fn new(denial: &Denial, credential_spec: &str, cure: Option<Cure>) -> Self {
        let (message, hint) = cure.map_or((None, None), |cure| (cure.message, Some(cure.hint)));
        let remedy = denial.reason.remedy();
        let hint = hint.unwrap_or_else(|| match denial.reason {
            Reason::NameInvalid if credential_spec.is_empty() => {
                "Write the name of a credential spec, or leave gmsaCredentialSpecName out."
                    .to_owned()
            }
            Reason::NameInvalid => format!("Write \"{}\". {remedy}", made_valid(credential_spec)),
            _ => remedy.to_owned(),
        });
        Self {
            reason: denial.reason.id(),
            code: denial.reason.code(),
            field: denial.field.clone(),
            message: message.unwrap_or_else(|| denial.message.clone()),
            hint,
            near_misses: Vec::new(),
        }
    }
}

impl ObjectFinding {
    pub fn new(object: &str, source: Option<&Source>, finding: &Finding) -> Self {
        Self {
            object: object.to_owned(),
            file: source.map(|source| source.file.to_string()),
            line: source.map(|source| source.line),
            finding: FindingReport::new(finding, false),
        }
    }
}
