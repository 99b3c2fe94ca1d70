//! Running pods, checked against the current policy.

use std::collections::BTreeMap;

use gmsa_core::admission::{Decision, Reason};
use gmsa_core::finding::Code;
use gmsa_core::grant::Grant;
use gmsa_core::pod::{Pod, shown};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::next_pod::{self, KNOWN_OWNERS};
use super::reach::Sent;
use super::read::{self, Head, Item};
use super::{Error, Finding, Gathered, Object};
use crate::api::objects::{Objects, kinds};
use crate::simulate::as_created;

/// Reads and judges every pod that has not ended.
pub(super) async fn all(
    gathered: &mut Gathered,
    objects: &Objects,
    progress: &dyn Fn(usize),
) -> Result<(), Error> {
    let namespace = gathered.scope.namespace.clone();
    let mut from = None;
    loop {
        let unread = &mut gathered.audit.unread;
        let page = read::page(objects, kinds::POD, namespace.as_deref(), from, unread).await?;
        let Some(page) = page else {
            gathered.audit.blind = true;
            return Ok(());
        };
        let (items, next) = read::items(&page)?;
        for item in &items {
            if matches!(item.head.status.phase.as_str(), "Succeeded" | "Failed") {
                continue;
            }
            gathered.audit.pods += 1;
            if item.may_use {
                one(gathered, objects, item).await?;
            }
        }
        progress(gathered.audit.pods);
        match next {
            Some(next) => from = Some(next),
            None => return Ok(()),
        }
    }
}

async fn one(gathered: &mut Gathered, objects: &Objects, item: &Item<'_>) -> Result<(), Error> {
    let Head { metadata, .. } = &item.head;
    let pod: Pod<'_> = match serde_json::from_str(item.text) {
        Ok(pod) => pod,
        // One unreadable pod must not stop the audit of the others. The error's own words could quote
        // the pod's contents.
        Err(error) => {
            let (name, namespace) = (&metadata.name, &metadata.namespace);
            gathered.audit.unread.push(format!(
                "failed to read Pod {namespace}/{name}: line {}, column {} is not as expected",
                error.line(),
                error.column()
            ));
            return Ok(());
        }
    };
    let object = Object::namespaced("Pod", &metadata.namespace, &metadata.name);
    let is_told =
        item.head.controller().is_some_and(|owner| KNOWN_OWNERS.contains(&owner.kind.as_str()));
    // Of a pod whose maker is looked at nothing more is to be said.
    let own = if is_told { None } else { value_of(item.text) };
    if let Some(value) = &own {
        gathered.unread(&object, value);
    }
    if pod.references().next().is_none() {
        return Ok(());
    }
    gathered.audit.gmsa_pods += 1;
    for name in pod.references().filter_map(|reference| reference.name) {
        gathered.uses(&metadata.namespace, pod.service_account(), name);
    }
    let user = format!("Pod {}", metadata.name);
    let sent = gathered.reach.saw(&metadata.namespace, &user, &metadata.labels);
    if !is_recent(gathered, metadata.creation_timestamp.as_deref()) {
        return Ok(());
    }
    let mut decision = gathered.simulator.validate(&pod, &metadata.namespace).await?;
    let found = denials(gathered, &item.head, &pod, &decision);
    gathered.audit.findings.extend(found);
    if let Some(value) = &own {
        if sent == Sent::NotItsLabels {
            gathered.audit.findings.push(gathered.reach.not_sent(&object));
        }
        gathered.complete(objects, value, &pod, &mut decision.warnings).await;
        gathered.audit.findings.extend(next_pod::warnings(&object, &decision));
        if gathered.scope.next_pods && sent == Sent::Yes {
            made_again(gathered, &object, item.text).await?;
        }
    }
    Ok(())
}

/// The pod with its kind, which the items of a list leave out.
fn value_of(text: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    kinds::POD.name_in(&mut value);
    Some(value)
}

/// Judges the pod as its maker would make it again: without what a webhook filled in.
async fn made_again(gathered: &mut Gathered, object: &Object, text: &str) -> Result<(), Error> {
    let Ok(mut made) = serde_json::from_str::<Value>(text) else { return Ok(()) };
    as_created(&mut made);
    let text = made.to_string();
    let Ok(pod) = serde_json::from_str::<Pod<'_>>(&text) else { return Ok(()) };
    let namespace = object.namespace.as_deref().unwrap_or_default();
    let decision = gathered.simulator.walk(&made, &pod, namespace).await?.decision;
    let found = next_pod::denied(gathered, object, &pod, &decision);
    gathered.audit.findings.extend(found);
    Ok(())
}

fn is_recent(gathered: &Gathered, created: Option<&str>) -> bool {
    let Some(since) = gathered.scope.since else { return true };
    // Whose age is not known is judged.
    created.and_then(|time| time.parse::<Timestamp>().ok()).is_none_or(|created| created >= since)
}

/// What is wrong with one credential spec in one pod.
#[derive(Default)]
struct Wrong {
    places: Vec<String>,
    evidence: Vec<String>,
    reasons: Vec<Reason>,
}

fn denials(gathered: &Gathered, head: &Head, pod: &Pod<'_>, decision: &Decision) -> Vec<Finding> {
    let mut wrong: BTreeMap<(Code, String), Wrong> = BTreeMap::new();
    for denial in decision.denials() {
        let place = pod.reference_at(&denial.field);
        let name = place.and_then(|reference| reference.name).unwrap_or_default();
        let carries = place.is_some_and(|reference| reference.contents.is_some());
        let code = code(denial.reason, carries, gathered.simulator.exists(name));
        let entry = wrong.entry((code, name.to_owned())).or_default();
        entry.places.extend(place.map(|reference| reference.place.to_string()));
        entry.reasons.push(denial.reason);
        entry.evidence.push(match code {
            Code::PodContentsDiffer | Code::PodWouldBeDenied => denial.message.clone(),
            _ => denial.field.clone(),
        });
    }
    let (namespace, account) = (&head.metadata.namespace, pod.service_account());
    let object = Object::namespaced("Pod", namespace, &head.metadata.name);
    let finding = |((code, name), found): ((Code, String), Wrong)| {
        let places = found.places.join(", ");
        let name = shown(&name).to_string();
        let message = match code {
            Code::PodWithoutRight => format!(
                "{places}: carries the contents of credential spec \"{name}\", which service \
                 account \"{account}\" may not use"
            ),
            Code::PodCredspecGone => format!(
                "{places}: carries contents of credential spec \"{name}\", which does not exist \
                 or is empty"
            ),
            Code::PodContentsDiffer => format!(
                "{places}: carries other contents than credential spec \"{name}\" has today"
            ),
            Code::PodNotExpanded => {
                format!("{places}: names credential spec \"{name}\" and carries no contents")
            }
            Code::PodContentsWithoutName => format!("{places}: carries contents without a name"),
            _ => format!("{places}: would be denied today"),
        };
        let mut evidence = found.evidence;
        if let Some(owner) = head.controller() {
            evidence.push(format!("belongs to {} {}", owner.kind, owner.name));
        }
        if let Some(created) = &head.metadata.creation_timestamp {
            evidence.push(format!("created {created}"));
        }
        let finding = Finding::new(&object, code, message).with_evidence(evidence);
        if code == Code::PodNotExpanded {
            return finding.with_remedy(again(head, &found.reasons, &name, account));
        }
        match (code, Grant::of(&name, namespace, account)) {
            (Code::PodWithoutRight, Some(grant)) => finding.with_remedy(format!(
                "If it may: {}; else: kubectl delete pod {} -n {namespace}",
                grant.with_plugin(),
                head.metadata.name
            )),
            _ => finding,
        }
    };
    wrong.into_iter().map(finding).collect()
}

/// How to make a pod again that carries no contents, so that it is admitted and has them.
fn again(head: &Head, reasons: &[Reason], name: &str, account: &str) -> String {
    let Head { metadata, .. } = head;
    let mut steps = Vec::new();
    if reasons.contains(&Reason::NotAuthorized)
        && let Some(grant) = Grant::of(name, &metadata.namespace, account)
    {
        steps.push(format!("{} (if it may)", grant.with_plugin()));
    }
    if reasons.iter().any(|reason| matches!(reason, Reason::NotFound | Reason::Empty)) {
        steps.push(format!("make the credential spec \"{name}\", or correct the name"));
    }
    steps.push(if head.controller().is_some() {
        Code::PodNotExpanded.remedy().to_owned()
    } else {
        "Delete the pod and create it again, which nothing else does; see first that `kubectl gmsa \
         status` shows no problem."
            .to_owned()
    });
    steps.join("; then: ")
}

fn code(reason: Reason, carries: bool, exists: bool) -> Code {
    match reason {
        Reason::ContentsWithoutName => Code::PodContentsWithoutName,
        Reason::NotAuthorized | Reason::NotFound | Reason::Empty | Reason::NotExpanded
            if !carries =>
        {
            Code::PodNotExpanded
        }
        Reason::NotAuthorized if exists => Code::PodWithoutRight,
        Reason::NotAuthorized | Reason::NotFound | Reason::Empty => Code::PodCredspecGone,
        Reason::Mismatch => Code::PodContentsDiffer,
        _ => Code::PodWouldBeDenied,
    }
}
