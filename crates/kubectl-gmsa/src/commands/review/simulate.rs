//! Walks each workload's pod through both admission steps.

use gmsa_cluster::manifests::{Document, ManifestSet, Workload};
use gmsa_cluster::simulate;
use gmsa_core::admission::{Decision, patch};
use gmsa_core::finding::{Code, Finding};
use gmsa_core::pod::{PlaceKind, Pod, identities, shown};
use serde_json::Value;

use super::facts::Facts;
use crate::failure::Failure;

/// A workload and what admission says of its pods.
pub struct Simulated<'a> {
    pub workload: &'a Workload,
    pub service_account: String,
    /// Whether anything in it uses a GMSA.
    pub uses_gmsa: bool,
    pub places: Vec<Place>,
    pub decision: Decision,
    /// What the mutating step filled in.
    pub operations: Vec<patch::Operation>,
}

/// A place of the pod that uses a GMSA.
pub struct Place {
    pub kind: PlaceKind,
    pub name: String,
    /// The path of its `windowsOptions`, with a dot at the end.
    pub prefix: String,
    pub credential_spec: Option<String>,
    /// The containers for which it is in force.
    pub containers: Vec<String>,
}

/// Judges every workload.
pub fn all<'a>(
    set: &'a ManifestSet,
    documents: &[Document],
    facts: &Facts<'_>,
) -> Result<Vec<Simulated<'a>>, Failure> {
    let mut simulated = walk_all(set, documents, facts)?;
    let is_shared = |finding: &Finding| finding.code == Code::SharedHostnamePrefix;
    // Asked only where it matters.
    if simulated.iter().any(|one| one.decision.warnings.iter().any(is_shared))
        && facts.makes_hostnames(documents)
    {
        for one in &mut simulated {
            one.decision.warnings.retain(|finding| !is_shared(finding));
        }
    }
    Ok(simulated)
}

fn walk_all<'a>(
    set: &'a ManifestSet,
    documents: &[Document],
    facts: &Facts<'_>,
) -> Result<Vec<Simulated<'a>>, Failure> {
    set.workloads
        .iter()
        .map(|workload| {
            let document = documents.get(workload.document);
            let document = document.map_or(&Value::Null, |document| &document.value);
            let mut simulated = one(workload, document, facts)?;
            if simulated.uses_gmsa && !facts.is_cluster() {
                simulated.decision.warnings.extend(missing_account(set, &simulated));
            }
            Ok(simulated)
        })
        .collect()
}

/// The API server refuses pods whose service account does not exist. Files that hold none of the
/// namespace's say nothing of it, and `default` is made with each namespace.
fn missing_account(set: &ManifestSet, simulated: &Simulated<'_>) -> Option<Finding> {
    let (namespace, account) = (&simulated.workload.namespace, &simulated.service_account);
    let key = (namespace.clone(), account.clone());
    if account == "default" || set.service_accounts.contains(&key) {
        return None;
    }
    let first = set.service_accounts.range((namespace.clone(), String::new())..).next();
    first.filter(|(of, _)| of == namespace).map(|_| Finding {
        code: Code::ServiceAccountMissing,
        message: format!(
            "service account \"{}\" is not among those of namespace \"{}\" in the files",
            shown(account),
            shown(namespace)
        ),
        path: Some("spec.serviceAccountName".to_owned()),
    })
}

fn one<'a>(
    workload: &'a Workload,
    document: &Value,
    facts: &Facts<'_>,
) -> Result<Simulated<'a>, Failure> {
    let object = workload.pod(document);
    let text = object.to_string();
    let pod = read(&text, workload)?;
    let walked = simulate::walk(&object, &pod, &workload.namespace, facts)?;
    let places = places(&pod);
    Ok(Simulated {
        workload,
        service_account: pod.service_account().to_owned(),
        uses_gmsa: !places.is_empty(),
        places,
        decision: walked.decision,
        operations: walked.operations,
    })
}

fn read<'a>(object: &'a str, workload: &Workload) -> Result<Pod<'a>, Failure> {
    serde_json::from_str(object).map_err(|error| {
        Failure::Input(format!(
            "failed to read the pod of {} \"{}\" at {}: {error}",
            workload.kind, workload.name, workload.source
        ))
    })
}

fn places(pod: &Pod<'_>) -> Vec<Place> {
    let containers = |kind: PlaceKind, index: usize| {
        identities(pod)
            .filter(|one| match kind {
                PlaceKind::Pod => one.inherited,
                _ => one.container.kind == kind && one.container.index == index,
            })
            .map(|one| one.container.name.to_owned())
            .collect()
    };
    pod.references()
        .map(|reference| {
            let place = reference.place;
            Place {
                kind: place.kind,
                name: place.name.to_owned(),
                prefix: place.field(""),
                credential_spec: reference.name.map(str::to_owned),
                containers: containers(place.kind, place.index),
            }
        })
        .collect()
}
