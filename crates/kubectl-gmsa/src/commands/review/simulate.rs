//! Walks each workload's pod through both admission steps.

use gmsa_cluster::installation::engine::differences;
use gmsa_cluster::manifests::{Document, ManifestSet, Workload};
use gmsa_cluster::simulate::{self, Source as _};
use gmsa_core::admission::{Decision, Outcome, Reason, SpecFact, patch};
use gmsa_core::finding::{Code, Finding};
use gmsa_core::pod::{PlaceKind, Pod, identities, shown};
use gmsa_core::workload::{
    account_missing, pod_findings, refine_binding, selects_windows_nodes_only,
};
use serde_json::Value;

use super::facts::Facts;
use crate::failure::Failure;

/// A workload and what admission says of its pods.
pub struct Simulated<'a> {
    pub workload: &'a Workload,
    pub service_account: String,
    /// Whether the pod template names its service account.
    pub names_account: bool,
    /// Whether anything in it uses a GMSA.
    pub uses_gmsa: bool,
    pub places: Vec<Place>,
    pub decision: Decision,
    /// What the mutating step filled in.
    pub operations: Vec<patch::Operation>,
    /// What policies answer differently from the webhook, by the name of the difference; none unless they
    /// decide.
    pub differences: Vec<(&'static str, String)>,
    /// The pod as its controller makes it.
    object: Value,
}

/// A place of the pod that uses a GMSA.
pub struct Place {
    pub kind: PlaceKind,
    pub name: String,
    /// The path of its `windowsOptions`, with a dot at the end.
    pub prefix: String,
    pub credential_spec: Option<String>,
    /// Whether there is no such credential spec, where the right to it is missing too.
    pub is_absent: bool,
    /// The containers for which it is in force.
    pub containers: Vec<String>,
    /// Roles and bindings that come close to a right that is missing.
    pub near_misses: Vec<String>,
}

/// Judges every workload.
pub fn all<'a>(
    set: &'a ManifestSet,
    documents: &[Document],
    facts: &Facts<'_>,
    by_policies: bool,
) -> Result<Vec<Simulated<'a>>, Failure> {
    let by = if by_policies {
        Engine::Policies { instead_of_hostnames: facts.makes_hostnames(documents) }
    } else {
        Engine::Webhook
    };
    let mut simulated = walk_all(set, documents, facts, by)?;
    let is_shared = |finding: &Finding| finding.code == Code::SharedHostnamePrefix;
    // Asked only where it matters. Policies make no hostnames.
    if !by_policies
        && simulated.iter().any(|one| one.decision.warnings.iter().any(is_shared))
        && facts.makes_hostnames(documents)
    {
        for one in &mut simulated {
            one.decision.warnings.retain(|finding| !is_shared(finding));
        }
    }
    let is_unbound = |finding: &Finding| finding.code == Code::NotBoundToWindows;
    if simulated.iter().any(|one| one.decision.warnings.iter().any(is_unbound)) {
        let nodes = facts.nodes();
        for one in &mut simulated {
            let spec = one.object.get("spec").unwrap_or(&Value::Null);
            if selects_windows_nodes_only(spec, &nodes) {
                one.decision.warnings.retain(|finding| !is_unbound(finding));
            }
        }
    }
    Ok(simulated)
}

/// What decides.
#[derive(Clone, Copy)]
enum Engine {
    Webhook,
    /// Admission policies, where the webhook that is known makes random hostnames, or not.
    Policies {
        instead_of_hostnames: bool,
    },
}

fn walk_all<'a>(
    set: &'a ManifestSet,
    documents: &[Document],
    facts: &Facts<'_>,
    by: Engine,
) -> Result<Vec<Simulated<'a>>, Failure> {
    set.workloads
        .iter()
        .map(|workload| {
            let document = documents.get(workload.document);
            let document = document.map_or(&Value::Null, |document| &*document.value);
            let mut simulated = one(workload, document, facts, by)?;
            if simulated.uses_gmsa {
                simulated.decision.warnings.extend(missing_account(set, &simulated, facts));
            }
            if is_first_of_its_object(set, workload) {
                let own = set.unread.iter().filter(|one| one.document == workload.document);
                simulated.decision.warnings.extend(own.map(|one| one.finding.clone()));
            }
            Ok(simulated)
        })
        .collect()
}

/// What is found on an object is reported with its first workload.
fn is_first_of_its_object(set: &ManifestSet, workload: &Workload) -> bool {
    let first = set.workloads.iter().find(|one| one.document == workload.document);
    first.is_some_and(|first| first.spec == workload.spec)
}

/// The API server refuses pods whose service account does not exist. Files that hold none of the
/// namespace's say nothing of it, and `default` is made with each namespace.
fn missing_account(
    set: &ManifestSet,
    simulated: &Simulated<'_>,
    facts: &Facts<'_>,
) -> Option<Finding> {
    let (namespace, account) = (&simulated.workload.namespace, &simulated.service_account);
    let key = (namespace.clone(), account.clone());
    if account == "default" || set.service_accounts.contains(&key) {
        return None;
    }
    if let Facts::Cluster(cluster) = facts {
        let is_missing = cluster.has_account(namespace, account) == Some(false);
        return is_missing.then(|| account_missing(namespace, account));
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
    by: Engine,
) -> Result<Simulated<'a>, Failure> {
    let object = workload.pod(document);
    let text = object.to_string();
    let pod = read(&text, workload)?;
    let mut walked = simulate::walk(&object, &pod, &workload.namespace, facts)?;
    let mut differences = Vec::new();
    if let Engine::Policies { instead_of_hostnames } = by {
        let spec = |name: &str| facts.spec(name);
        let answer = differences::of(&pod, &walked.decision, spec, instead_of_hostnames)?;
        differences = answer.differences;
        walked.decision.outcome = match walked.decision.outcome {
            Outcome::Deny(mut denials) => {
                denials.extend(answer.denials);
                Outcome::Deny(denials)
            }
            Outcome::Allow(_) if !answer.denials.is_empty() => Outcome::Deny(answer.denials),
            allowed @ Outcome::Allow(_) => allowed,
        };
    }
    let warnings = &mut walked.decision.warnings;
    refine_binding(warnings, object.get("spec").unwrap_or(&Value::Null));
    warnings.extend(pod_findings(&object, &pod));
    let mut places = places(&pod);
    for denial in walked.decision.denials() {
        let own = places.iter_mut().filter(|place| {
            denial.reason == Reason::NotAuthorized && denial.field.starts_with(&place.prefix)
        });
        for place in own {
            let name = place.credential_spec.as_deref().unwrap_or_default();
            place.near_misses = facts.near_misses(&workload.namespace, pod.service_account(), name);
            place.is_absent = matches!(facts, Facts::Cluster(_))
                && matches!(facts.spec(name), Ok(SpecFact::Absent));
        }
    }
    let named = object.pointer("/spec/serviceAccountName").and_then(Value::as_str);
    Ok(Simulated {
        workload,
        service_account: pod.service_account().to_owned(),
        names_account: named.is_some_and(|name| !name.is_empty()),
        uses_gmsa: !places.is_empty(),
        places,
        decision: walked.decision,
        operations: walked.operations,
        differences,
        object,
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
                is_absent: false,
                containers: containers(place.kind, place.index),
                near_misses: Vec::new(),
            }
        })
        .collect()
}
