//! Who uses which credential spec: pods, and what has a pod template.

use std::collections::BTreeSet;
use std::sync::Arc;

use gmsa_cluster::installation::identify::has_pods;
use gmsa_cluster::manifests::{Document, ManifestSet, Source, Workload};
use gmsa_core::pod::Pod;
use serde_json::Value;

/// One use of a credential spec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub namespace: String,
    pub account: String,
    pub credential_spec: String,
    pub kind: String,
    pub name: String,
}

/// The uses of these objects. An object whose owner uses the same is left out: the pods
/// of a Deployment add nothing. The second value says what could not be read.
pub fn all(objects: Vec<Value>) -> (BTreeSet<Use>, Vec<String>) {
    let source = Source { file: Arc::from("the cluster"), line: 0 };
    let documents: Vec<Document> = objects
        .into_iter()
        .filter(has_pods)
        .map(|value| Document { value: Arc::new(value), source: source.clone() })
        .collect();
    let set = ManifestSet::new(&documents, "");
    let mut found = Vec::new();
    let mut unread = Vec::new();
    for workload in &set.workloads {
        let Some(document) = documents.get(workload.document) else { continue };
        match of_workload(workload, &document.value) {
            Ok(uses) => {
                found.extend(uses.into_iter().map(|one| (one, controller(&document.value))));
            }
            Err(why) => unread.push(why),
        }
    }
    let known: BTreeSet<&Use> = found.iter().map(|(one, _)| one).collect();
    let told_by_owner = |one: &Use, owner: &Option<(String, String)>| {
        owner.as_ref().is_some_and(|(kind, name)| {
            known.contains(&Use { kind: kind.clone(), name: name.clone(), ..one.clone() })
        })
    };
    let uses = found
        .iter()
        .filter(|(one, owner)| !told_by_owner(one, owner))
        .map(|(one, _)| one.clone())
        .collect();
    (uses, unread)
}

/// The kind and name of what the object belongs to.
fn controller(object: &Value) -> Option<(String, String)> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    let text = |key: &str| owner.get(key).and_then(Value::as_str).map(str::to_owned);
    Some((text("kind")?, text("name")?))
}

fn of_workload(workload: &Workload, document: &Value) -> Result<Vec<Use>, String> {
    let object = workload.pod(document).to_string();
    let pod: Pod<'_> = serde_json::from_str(&object).map_err(|error| {
        format!(
            "failed to read the pod of {} {}/{}: {error}",
            workload.kind, workload.namespace, workload.name
        )
    })?;
    let names: BTreeSet<&str> = pod.references().filter_map(|reference| reference.name).collect();
    Ok(names
        .into_iter()
        .map(|name| Use {
            namespace: workload.namespace.clone(),
            account: pod.service_account().to_owned(),
            credential_spec: name.to_owned(),
            kind: workload.kind.clone(),
            name: workload.name.clone(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod_spec(name: &str) -> Value {
        json!({"serviceAccountName": "web", "containers": [{"name": "iis"}],
            "securityContext": {"windowsOptions":
                {"gmsaCredentialSpecName": name, "gmsaCredentialSpec": "{\"a\":1}"}}})
    }

    fn object(kind: &str, name: &str, owner: Option<(&str, &str)>, spec: &Value) -> Value {
        let owners: Vec<Value> = owner
            .into_iter()
            .map(|(kind, name)| json!({"kind": kind, "name": name, "controller": true}))
            .collect();
        json!({"apiVersion": "v1", "kind": kind, "spec": spec,
            "metadata": {"name": name, "namespace": "shop", "ownerReferences": owners}})
    }

    #[test]
    fn findings_of_a_workload_are_reported_once() {
        let template = |name: &str| json!({"replicas": 1, "template": {"spec": pod_spec(name)}});
        let mut past = object("ReplicaSet", "web-0", Some(("Deployment", "web")), &template("old"));
        past["spec"]["replicas"] = json!(0);
        let mut ended = object("Pod", "ended", None, &pod_spec("ended"));
        ended["status"] = json!({"phase": "Succeeded"});
        let mut done = object("Job", "done", None, &template("ended"));
        done["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        let cron = json!({"jobTemplate": {"spec": {"template": {"spec": pod_spec("nightly")}}}});
        let objects = vec![
            object("Deployment", "web", None, &template("webapp1")),
            past,
            object("ReplicaSet", "web-1", Some(("Deployment", "web")), &template("webapp1")),
            object("Pod", "web-1-a", Some(("ReplicaSet", "web-1")), &pod_spec("webapp1")),
            // Still of the revision before.
            object("Pod", "web-0-a", Some(("ReplicaSet", "web-0")), &pod_spec("old")),
            object("Pod", "odd", Some(("Farm", "odd")), &pod_spec("webapp1")),
            ended,
            done,
            object("CronJob", "cron", None, &cron),
            object("Pod", "odd-one", None, &json!({"containers": "none"})),
        ];
        let (found, unread) = all(objects);
        assert_eq!(unread.len(), 1, "one pod that cannot be read keeps no other from being told");
        assert!(unread[0].starts_with("failed to read the pod of Pod shop/odd-one: "));
        let found: Vec<String> = found
            .into_iter()
            .map(|one| format!("{} {} {}", one.kind, one.name, one.credential_spec))
            .collect();
        assert_eq!(
            found,
            [
                "CronJob cron nightly",
                "Pod web-0-a old",
                "Deployment web webapp1",
                "Pod odd webapp1"
            ]
        );
    }
}
