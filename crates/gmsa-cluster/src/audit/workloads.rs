//! What makes pods: what admission would say of the next one.

use std::collections::BTreeSet;

use gmsa_core::admission::{Decision, Reason};
use gmsa_core::finding::Code;
use gmsa_core::grant::Grant;
use gmsa_core::pod::Pod;
use serde::Deserialize as _;
use serde_json::Value;

use super::pods::KNOWN_OWNERS;
use super::reach::{Labels, Sent};
use super::read::{self, Head, Item};
use super::{Error, Finding, Gathered, Object};
use crate::api::objects::{Kind, Objects, kinds};
use crate::manifests::Workload;
use crate::simulate::walk;

/// Reads and judges every workload that is not part of another.
pub(super) async fn all(gathered: &mut Gathered, objects: &Objects) -> Result<(), Error> {
    let namespace = gathered.scope.namespace.clone();
    for mut kind in kinds::TEMPLATES {
        let mut from = None;
        loop {
            let unread = &mut gathered.audit.unread;
            let page = read::page(objects, kind, namespace.as_deref(), from, unread).await?;
            let Some(page) = page else { break };
            kind = page.kind;
            let (items, next) = read::items(&page)?;
            for item in items.iter().filter(|item| item.may_use && is_alive(kind, &item.head)) {
                one(gathered, kind, item).await?;
            }
            match next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// Whether it has, or will have, pods: not a job that has ended, nor a deployment's past.
fn is_alive(kind: Kind, head: &Head) -> bool {
    match kind.kind {
        "ReplicaSet" => head.controller().is_none() || head.spec.replicas != Some(0),
        "Job" => !head.status.conditions.iter().any(|condition| {
            matches!(condition.kind.as_str(), "Complete" | "Failed") && condition.status == "True"
        }),
        _ => true,
    }
}

async fn one(gathered: &mut Gathered, kind: Kind, item: &Item<'_>) -> Result<(), Error> {
    let Head { metadata, .. } = &item.head;
    let object = Object::namespaced(kind.kind, &metadata.namespace, &metadata.name);
    let Some(pod_object) = next_pod(kind, item.text) else { return Ok(()) };
    let text = pod_object.to_string();
    let pod: Pod<'_> = match serde_json::from_str(&text) {
        Ok(pod) => pod,
        Err(error) => {
            gathered.audit.unread.push(format!(
                "failed to read the pod of {object}: column {} of its JSON is not as expected",
                error.column()
            ));
            return Ok(());
        }
    };
    if pod.references().next().is_none() {
        return Ok(());
    }
    for name in pod.references().filter_map(|reference| reference.name) {
        gathered.uses(&metadata.namespace, pod.service_account(), name);
    }
    // Its owner tells the same, if it is one that is looked at.
    let owner = item.head.controller();
    if owner.is_some_and(|owner| KNOWN_OWNERS.contains(&owner.kind.as_str())) {
        return Ok(());
    }
    gathered.audit.gmsa_workloads += 1;
    let labels = pod_object.pointer("/metadata/labels").unwrap_or(&Value::Null);
    let labels = Labels::deserialize(labels).unwrap_or_default();
    let user = format!("{} {}", kind.kind, metadata.name);
    match gathered.reach.saw(&metadata.namespace, &user, &labels) {
        Sent::Yes => {}
        // Which is told of the namespace.
        Sent::NotItsNamespace => return Ok(()),
        Sent::NotItsLabels => {
            gathered.audit.findings.push(gathered.reach.not_sent(&object));
            return Ok(());
        }
    }
    let decision = loop {
        let Ok(walked) = walk(&pod_object, &pod, &metadata.namespace, &gathered.known);
        if !gathered.known.settle().await? {
            break walked.decision;
        }
    };
    let found = denied(gathered, &object, &pod, &decision);
    gathered.audit.findings.extend(found);
    gathered.audit.findings.extend(warnings(&object, &decision));
    Ok(())
}

/// The next pod of a workload.
fn next_pod(kind: Kind, text: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    kind.name_in(&mut value);
    Workload::of(&value, "").map(|workload| workload.pod(&value))
}

pub(super) fn denied(
    gathered: &Gathered,
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
            (true, Some(reference), Some(grant)) if gathered.known.exists(name) => {
                evidence.push(format!(
                    "{}: service account \"{account}\" may not use credential spec \"{name}\"",
                    reference.place
                ));
                remedies.insert(grant.with_plugin());
            }
            (true, Some(reference), _) => {
                evidence.push(format!(
                    "{}: credential spec \"{name}\" does not exist, and service account \
                     \"{account}\" may not use it",
                    reference.place
                ));
                remedies.insert(Reason::NotFound.remedy().to_owned());
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
    let remedy = remedies.into_iter().collect::<Vec<_>>().join("; ");
    let finding = Finding::new(object, Code::WorkloadWouldBeDenied, message);
    Some(finding.with_evidence(evidence).with_remedy(remedy))
}

/// What is questionable although it may be admitted. Findings of a credential spec are told of
/// that itself.
pub(super) fn warnings<'a>(
    object: &'a Object,
    decision: &'a Decision,
) -> impl Iterator<Item = Finding> + 'a {
    decision.warnings.iter().filter(|warning| warning.code != Code::CredspecFindings).map(
        |warning| {
            let evidence = warning.path.clone().into_iter().collect();
            Finding::new(object, warning.code, warning.message.clone()).with_evidence(evidence)
        },
    )
}
