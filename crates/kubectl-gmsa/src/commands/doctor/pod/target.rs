//! From `POD` or `KIND/NAME` to a pod.

use std::collections::BTreeSet;

use gmsa_core::printable::printable;

use gmsa_cluster::api::answer;
use gmsa_cluster::api::objects::{Kind, Objects, Reference, kinds};
use gmsa_cluster::api::value::{array, text};
use gmsa_cluster::manifests::Workload;
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::discovery::{ApiResource, Discovery, Scope};
use serde_json::Value;

use super::shown;
use crate::failure::Failure;

/// Short names that kubectl knows.
const SHORT: [(&str, &str); 8] = [
    ("po", "Pod"),
    ("deploy", "Deployment"),
    ("rs", "ReplicaSet"),
    ("sts", "StatefulSet"),
    ("ds", "DaemonSet"),
    ("rc", "ReplicationController"),
    ("cj", "CronJob"),
    ("podtemplate", "PodTemplate"),
];
/// Kinds between a workload and its pods.
const BETWEEN: [&str; 2] = ["ReplicaSet", "Job"];

/// The pod in question, and what made it.
#[derive(Debug)]
pub struct Subject {
    /// The namespace.
    pub namespace: String,
    /// What was asked for, such as `Deployment shop/web`.
    pub shown: String,
    /// The workload that was asked for; none if a pod was.
    pub workload: Option<Value>,
    /// What the workload made that makes pods.
    pub makers: Vec<Value>,
    /// The pod: the one asked for, or the newest of the workload.
    pub pod: Option<Value>,
    /// Every pod of the namespace, as far as they may be listed.
    pub pods: Vec<Value>,
}

impl Subject {
    /// The pod that the workload would make next.
    pub fn next_pod(&self) -> Option<Value> {
        let workload = self.workload.as_ref()?;
        Workload::of(workload, &self.namespace).map(|of| of.pod(workload))
    }

    /// The command that replaces the pods of the workload; none for kinds that kubectl does not restart.
    pub fn restart(&self) -> Option<String> {
        let workload = self.workload.as_ref()?;
        let kind = text(workload, "/kind").to_lowercase();
        let name = text(workload, "/metadata/name");
        let restarts = ["deployment", "statefulset", "daemonset"].contains(&kind.as_str());
        restarts.then(|| format!("kubectl rollout restart {kind}/{name} -n {}", self.namespace))
    }

    /// The pods of the workload.
    pub fn own_pods(&self) -> impl Iterator<Item = &Value> {
        let makers = self.workload.iter().chain(&self.makers);
        let uids: BTreeSet<&str> = makers.map(|maker| text(maker, "/metadata/uid")).collect();
        self.pods.iter().filter(move |pod| is_of(pod, &uids))
    }

    /// The pod, or the named workload.
    pub fn shown_pod(&self) -> String {
        self.pod.as_ref().map_or_else(|| self.shown.clone(), shown)
    }
}

/// Finds it.
pub async fn resolve(
    client: &Client,
    objects: &Objects,
    namespace: &str,
    target: &str,
) -> Result<Subject, Failure> {
    let object = find(client, objects, namespace, target).await?;
    let shown_target = shown(&object);
    let pods = objects.list(kinds::POD, Some(namespace)).await;
    if text(&object, "/kind") == "Pod" {
        // The others are of interest only for their hostnames.
        let pods = pods.unwrap_or_default();
        let namespace = namespace.to_owned();
        let (workload, makers) = (None, Vec::new());
        let pod = Some(object);
        return Ok(Subject { namespace, shown: shown_target, workload, makers, pod, pods });
    }
    if Workload::of(&object, namespace).is_none() {
        return Err(Failure::Input(format!(
            "failed to check {shown_target}: it creates no pods; name a pod or a workload"
        )));
    }
    let pods = pods?;
    let uids = BTreeSet::from([text(&object, "/metadata/uid")]);
    let mut makers = Vec::new();
    for kind in kinds::TEMPLATES.into_iter().filter(|kind| BETWEEN.contains(&kind.kind)) {
        for maker in objects.list(kind, Some(namespace)).await.unwrap_or_default() {
            if is_of(&maker, &uids) {
                makers.push(maker);
            }
        }
    }
    // RFC 3339 in one time zone: the order of the texts is that of the times.
    let key = |pod: &&Value| {
        let stays = pod.pointer("/metadata/deletionTimestamp").is_none();
        (stays, text(pod, "/metadata/creationTimestamp").to_owned())
    };
    let (namespace, workload) = (namespace.to_owned(), Some(object));
    let mut subject = Subject { namespace, shown: shown_target, workload, makers, pod: None, pods };
    subject.pod = subject.own_pods().max_by_key(key).cloned();
    Ok(subject)
}

fn is_of(object: &Value, uids: &BTreeSet<&str>) -> bool {
    array(object, "/metadata/ownerReferences").any(|owner| uids.contains(text(owner, "/uid")))
}

/// What made a pod in the end and can be changed, as KIND/NAME; none if nobody did, or it may not be
/// read.
pub async fn maker(objects: &Objects, pod: &Value) -> Option<String> {
    let namespace = text(pod, "/metadata/namespace");
    let mut object = pod.clone();
    let mut found: Option<(Kind, String)> = None;
    // A pod, its ReplicaSet or Job, and what made that.
    for _ in 0..2 {
        let owner = array(&object, "/metadata/ownerReferences")
            .find(|owner| owner.get("controller") == Some(&Value::Bool(true)));
        let Some(owner) = owner else { break };
        let kind = kinds::TEMPLATES.into_iter().find(|kind| kind.kind == text(owner, "/kind"));
        let (Some(kind), name) = (kind, text(owner, "/name").to_owned()) else { return None };
        object = objects.get(&Reference::namespaced(kind, namespace, &name)).await.ok()??;
        found = Some((kind, name));
    }
    let (kind, name) = found.filter(|(kind, _)| kind.kind != "Job")?;
    Some(format!("{}/{name}", kind.kind.to_lowercase()))
}

/// The object that a target names, with its kind.
pub async fn find(
    client: &Client,
    objects: &Objects,
    namespace: &str,
    target: &str,
) -> Result<Value, Failure> {
    let (word, name) = target.split_once('/').unwrap_or(("pod", target));
    if word.is_empty() || name.is_empty() || name.contains('/') {
        return Err(Failure::Input(format!(
            "failed to read \"{}\": expected POD or KIND/NAME, such as deployment/web",
            printable(target)
        )));
    }
    let found = match known(word) {
        Some(kind) => one(objects, kind, namespace, name).await?,
        None => discovered(client, word, namespace, name).await?,
    };
    found.ok_or_else(|| {
        Failure::Missing(format!(
            "failed to find {target} in namespace {namespace}: there is none; \
             kubectl get {word} -n {namespace} lists those that are"
        ))
    })
}

/// A kind of those that every cluster has.
fn known(word: &str) -> Option<Kind> {
    let word = word.to_ascii_lowercase();
    let (word, group) = word
        .split_once('.')
        .map_or((word.as_str(), None), |(word, group)| (word, Some(group.to_owned())));
    let long = SHORT.iter().find(|(short, _)| *short == word).map_or(word, |(_, kind)| kind);
    [kinds::POD].into_iter().chain(kinds::TEMPLATES).find(|kind| {
        let named = kind.kind.eq_ignore_ascii_case(long) || kind.plural == word;
        named && group.as_deref().is_none_or(|group| group == kind.group)
    })
}

async fn one(
    objects: &Objects,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<Option<Value>, Failure> {
    let found = objects.get(&Reference::namespaced(kind, namespace, name)).await?;
    if found.is_some() || kind.kind != "CronJob" {
        return Ok(found);
    }
    // Before Kubernetes 1.21.
    Ok(objects.get(&Reference::namespaced(kinds::OLD_CRON_JOB, namespace, name)).await?)
}

/// A kind that the cluster knows.
async fn discovered(
    client: &Client,
    word: &str,
    namespace: &str,
    name: &str,
) -> Result<Option<Value>, Failure> {
    let object = format!("out what \"{word}\" is");
    let discovery = answer("find", object, Discovery::new(client.clone()).run()).await?;
    let wanted = word.to_ascii_lowercase();
    let (plain, group) = wanted.split_once('.').unwrap_or((&wanted, ""));
    let mut all = discovery.groups().flat_map(kube::discovery::ApiGroup::recommended_resources);
    let resource: Option<ApiResource> = all.find_map(|(resource, capabilities)| {
        let named = resource.plural == plain || resource.kind.eq_ignore_ascii_case(plain);
        let fits = named
            && capabilities.scope == Scope::Namespaced
            && (group.is_empty() || resource.group == group);
        fits.then_some(resource)
    });
    let Some(resource) = resource else {
        return Err(Failure::Input(format!(
            "failed to find the kind \"{}\": the cluster has none of that name in namespaces",
            printable(word)
        )));
    };
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let found = answer("read", format!("{word}/{name}"), api.get_opt(name)).await?;
    Ok(found.map(|found| serde_json::to_value(found).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn kinds_as_people_write_them() {
        for (word, kind) in [
            ("pod", "Pod"),
            ("po", "Pod"),
            ("Deployment", "Deployment"),
            ("deployments", "Deployment"),
            ("deploy", "Deployment"),
            ("deployment.apps", "Deployment"),
            ("sts", "StatefulSet"),
            ("cronjobs", "CronJob"),
        ] {
            assert_eq!(known(word).map(|kind| kind.kind), Some(kind), "{word}");
        }
        for word in ["rollout", "deployment.extensions", "service", ""] {
            assert_eq!(known(word), None, "{word}");
        }
    }
}
