//! Workloads: whether admission would accept their next pod.

use gmsa_core::finding::Code;
use gmsa_core::pod::Pod;
use serde_json::Value;

use super::next_pod::{KNOWN_OWNERS, denied, warnings};
use super::reach::Sent;
use super::read::{self, Head, Item};
use super::{Error, Gathered, Object};
use crate::api::objects::{Kind, Objects, kinds};
use crate::api::value;
use crate::installation::identify::has_pods;
use crate::manifests::Workload;

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
            for item in items.iter().filter(|item| item.may_use) {
                one(gathered, objects, kind, item).await?;
            }
            match next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

async fn one(
    gathered: &mut Gathered,
    objects: &Objects,
    kind: Kind,
    item: &Item<'_>,
) -> Result<(), Error> {
    let Head { metadata, .. } = &item.head;
    let object = Object::namespaced(kind.kind, &metadata.namespace, &metadata.name);
    let Ok(mut value) = serde_json::from_str::<Value>(item.text) else { return Ok(()) };
    kind.name_in(&mut value);
    if !has_pods(&value) {
        return Ok(());
    }
    let Some(pod_object) = Workload::of(&value, "").map(|workload| workload.pod(&value)) else {
        return Ok(());
    };
    // Its owner tells the same, if it is one that is looked at.
    let owner = item.head.controller();
    let is_told = owner.is_some_and(|owner| KNOWN_OWNERS.contains(&owner.kind.as_str()));
    if !is_told {
        gathered.unread(&object, &value);
    }
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
    if is_told {
        return Ok(());
    }
    gathered.audit.gmsa_workloads += 1;
    let labels = value::labels(&pod_object, "/metadata/labels");
    let user = format!("{} {}", kind.kind, metadata.name);
    match gathered.reach.saw(&metadata.namespace, &user, &labels) {
        Sent::Yes => {}
        // Reported for the namespace.
        Sent::NotItsNamespace => return Ok(()),
        Sent::NotItsLabels => {
            gathered.audit.findings.push(gathered.reach.not_sent(&object));
            return Ok(());
        }
    }
    let mut decision =
        gathered.simulator.walk(&pod_object, &pod, &metadata.namespace).await?.decision;
    let found = denied(gathered, &object, &pod, &decision);
    gathered.audit.findings.extend(found);
    let missing = gathered.missing_account(objects, &object, &pod).await;
    gathered.audit.findings.extend(missing);
    gathered.complete(objects, &pod_object, &pod, &mut decision.warnings).await;
    let has_hostname = gathered.reach.makes_hostnames();
    gathered.audit.findings.extend(
        warnings(&object, &decision)
            .filter(|one| !(has_hostname && one.code == Code::SharedHostnamePrefix)),
    );
    Ok(())
}
