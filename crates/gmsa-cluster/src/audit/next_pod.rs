//! What is found when the next pod of something is judged.

use std::collections::BTreeSet;

use gmsa_core::admission::{Decision, Reason};
use gmsa_core::finding::Code;
use gmsa_core::grant::Grant;
use gmsa_core::pod::Pod;

use super::{Finding, Gathered, Object};

/// Kinds that create pods, directly or not, and are audited themselves: their findings are not
/// repeated for each pod.
pub(super) const KNOWN_OWNERS: [&str; 7] = [
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "ReplicationController",
    "CronJob",
];

/// The finding of a next pod that would be denied; none if it would be admitted.
pub(super) fn denied(
    gathered: &mut Gathered,
    object: &Object,
    pod: &Pod<'_>,
    decision: &Decision,
) -> Option<Finding> {
    let namespace = object.namespace.as_deref().unwrap_or_default();
    let account = pod.service_account();
    let mut reasons: Vec<&str> = Vec::new();
    let mut evidence = Vec::new();
    let mut remedies = BTreeSet::new();
    for denial in decision.denials() {
        let reference = pod.reference_at(&denial.field);
        let name = reference.and_then(|reference| reference.name).unwrap_or_default();
        let id = denial.reason.id();
        if !reasons.contains(&id) {
            reasons.push(id);
        }
        let is_right = denial.reason == Reason::NotAuthorized;
        match (is_right, reference, Grant::of(name, namespace, account)) {
            (true, Some(reference), Some(grant)) if gathered.simulator.exists(name) => {
                evidence.push(format!(
                    "{}: service account \"{account}\" may not use credential spec \"{name}\"",
                    reference.place
                ));
                remedies.insert(grant.with_plugin());
                let wanted = [namespace, account, name].map(str::to_owned);
                gathered.without_right.push((object.clone(), wanted));
            }
            (true, Some(reference), _) => {
                evidence.push(format!(
                    "{}: credential spec \"{name}\" does not exist, and service account \
                     \"{account}\" may not use it",
                    reference.place
                ));
                remedies
                    .insert(format!("credential spec \"{name}\": {}", Reason::NotFound.remedy()));
            }
            _ => {
                evidence.push(denial.message.clone());
                remedies.insert(denial.reason.remedy().to_owned());
            }
        }
    }
    if reasons.is_empty() {
        return None;
    }
    let message = format!("its next pod would be denied: {}", reasons.join(", "));
    let remedies: Vec<&str> = remedies.iter().map(|one| one.trim_end_matches('.')).collect();
    let remedy = remedies.join("; ");
    let finding = Finding::new(object, Code::WorkloadWouldBeDenied, message);
    Some(finding.with_evidence(evidence).with_remedy(remedy))
}

/// What is questionable although it may be admitted. Findings about a credential spec are
/// reported for the credential spec.
pub(super) fn warnings<'a>(
    object: &'a Object,
    decision: &'a Decision,
) -> impl Iterator<Item = Finding> + 'a {
    let warnings = decision.warnings.iter();
    let own = warnings.filter(|warning| warning.code != Code::CredspecFindings);
    own.map(|warning| Finding::on(object, warning.clone()))
}
