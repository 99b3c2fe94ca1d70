//! Waits until an earlier installation is gone and until a replica is available, and explains why none is.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gmsa_cluster::api::{self, answer};
use gmsa_core::names::{NAME, TRIED_AGAIN};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Namespace, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::json;

use crate::failure::Failure;
use crate::installation::pods::{Problem, REFUSED, problem, refused, selector};
use crate::output::printer;

const PAUSE: Duration = Duration::from_millis(500);
/// How long pods may fail to be created before waiting is given up. The controller tries about ten
/// times in this time, and ever more rarely after it.
const HOPELESS: Duration = Duration::from_secs(15);
/// Counts the templates of a Deployment, at it and at each of its replica sets.
const REVISION: &str = "deployment.kubernetes.io/revision";
/// The label that distinguishes the pods of a replica set.
const TEMPLATE: &str = "pod-template-hash";

/// Waits until a namespace that is being deleted is gone: nothing can be created in it. Nothing was changed
/// before that.
pub async fn no_leftover(
    client: &Client,
    namespace: &str,
    dry_run: bool,
    end: Instant,
) -> Result<(), Failure> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let mut told = false;
    loop {
        let object = format!("Namespace {namespace}");
        let found = answer("read the", object, namespaces.get_opt(namespace)).await?;
        let Some(found) = found.filter(|one| one.metadata.deletion_timestamp.is_some()) else {
            return Ok(());
        };
        if dry_run || Instant::now() >= end {
            return Err(Failure::Cluster(format!(
                "failed to install: the namespace {namespace} is being deleted{}; run the same \
                 command again when it is gone; nothing was changed",
                remains(&found)
            )));
        }
        if !told {
            printer::note(&format!(
                "waiting: the namespace {namespace} is being deleted, as after kubectl gmsa uninstall"
            ));
            told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What keeps a namespace from being gone, in the words of its controller.
fn remains(namespace: &Namespace) -> String {
    let conditions = namespace.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions
        .filter(|condition| condition.status == "True")
        .filter_map(|condition| Some(format!(": {}", condition.message.as_ref()?)))
        .collect()
}

/// Waits until a replica of the new version is available.
pub async fn available(client: &Client, namespace: &str, end: Instant) -> Result<(), Failure> {
    let mut told = String::new();
    let mut reasons_told = BTreeSet::new();
    let mut refused_since = None;
    loop {
        let Seen { progress, newest, problems } = match look(client, namespace).await {
            Ok(seen) => seen,
            // One that restarts, or another one behind the same address, answers soon.
            Err(error) if error.is_passing() && Instant::now() < end => {
                let text = format!("waiting: {error}");
                if text != told {
                    printer::note(&text);
                    told = text;
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(error) => {
                return Err(error
                    .with_remedy(
                        "the webhook configurations were not changed, so no pod is blocked: run the same \
                         command again",
                    )
                    .into());
            }
        };
        if progress.done {
            return Ok(());
        }
        if !problems.iter().any(|problem| problem.reason == REFUSED) {
            refused_since = None;
        } else if refused_since.is_none() {
            refused_since = Some(Instant::now());
            try_again(client, namespace, newest).await;
        }
        let hopeless = refused_since.is_some_and(|since: Instant| since.elapsed() >= HOPELESS);
        if hopeless || Instant::now() >= end {
            let problems = if problems.is_empty() {
                format!("its pods report nothing; see kubectl describe pods -n {namespace}")
            } else {
                problems.into_iter().map(|one| one.text).collect::<Vec<_>>().join("; ")
            };
            return Err(Failure::Cluster(format!(
                "no replica of {namespace}/{NAME} became available{}: {problems}. The webhook \
                 configurations were not changed, so no pod is blocked; fix the cause, then run the \
                 same command again",
                if hopeless { "" } else { " in time" }
            )));
        }
        if progress.text != told {
            printer::note(&progress.text);
            told = progress.text;
        }
        // Each reason once: each pod reports it, and the kubelet alternates between two words for it.
        for problem in problems {
            if reasons_told.insert(problem.reason) {
                printer::note(&format!("waiting: {}", problem.text));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The rollout at one moment.
struct Seen {
    progress: Progress,
    newest: Option<ReplicaSet>,
    problems: Vec<Problem>,
}

async fn look(client: &Client, namespace: &str) -> Result<Seen, api::Error> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let object = format!("Deployment {namespace}/{NAME}");
    let deployment = answer("read the", object, deployments.get(NAME)).await?;
    let progress = progress(&deployment);
    if progress.done {
        return Ok(Seen { progress, newest: None, problems: Vec::new() });
    }
    let newest = newest(client, namespace, &deployment).await?;
    let problems = match &newest {
        Some(set) => problems(client, namespace, set).await?,
        None => Vec::new(),
    };
    Ok(Seen { progress, newest, problems })
}

struct Progress {
    done: bool,
    text: String,
}

fn progress(deployment: &Deployment) -> Progress {
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let status = deployment.status.clone().unwrap_or_default();
    let observed = status.observed_generation >= deployment.metadata.generation;
    let updated = if observed { status.updated_replicas.unwrap_or(0) } else { 0 };
    let available = status.available_replicas.unwrap_or(0);
    let replicas = status.replicas.unwrap_or(0);
    let old = replicas - updated;
    // Old replicas are available too, but do not count.
    let text = if old > 0 {
        format!("waiting: {updated} of {wanted} replicas are new, {old} old ones still run")
    } else {
        format!("waiting: {available} of {wanted} replicas are available")
    };
    // Old replicas are gone, so the new version answers.
    let done = observed && updated == wanted && available >= 1 && old == 0;
    Progress { done, text }
}

/// Has the controller create pods at once that it could not create: by itself it tries ever more rarely, at
/// last every quarter of an hour, so that what was fixed meanwhile would not be noticed. It looks at a replica
/// set that changes. Without the right to change it, the controller's own time is waited for.
async fn try_again(client: &Client, namespace: &str, set: Option<ReplicaSet>) {
    let sets: Api<ReplicaSet> = Api::namespaced(client.clone(), namespace);
    let now = Timestamp::now().to_string();
    let change = Patch::Merge(json!({"metadata": {"annotations": {TRIED_AGAIN: now}}}));
    if let Some(set) = set {
        let _not_allowed = sets.patch(&set.name_any(), &PatchParams::default(), &change).await;
    }
}

/// Why the pods of the newest template do not run, each reason once.
async fn problems(
    client: &Client,
    namespace: &str,
    newest: &ReplicaSet,
) -> Result<Vec<Problem>, api::Error> {
    let ours = ListParams::default().labels(&selector());
    let conditions = newest.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let conditions = conditions.map(|one| [&one.type_, &one.status, &one.message]);
    let mut problems: Vec<Problem> = refused(conditions).into_iter().collect();
    if let Some(template) = newest.labels().get(TEMPLATE) {
        let ours = ours.labels(&format!("{},{TEMPLATE}={template}", selector()));
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        let pods = answer("list the", format!("pods of {namespace}"), pods.list(&ours)).await?;
        problems.extend(pods.items.iter().filter_map(problem));
        if problems.is_empty() {
            problems.extend(warnings(client, namespace, &pods.items).await);
        }
    }
    let mut seen = BTreeSet::new();
    problems.retain(|problem| seen.insert(problem.reason.clone()));
    Ok(problems)
}

/// What only events report, such as a sandbox that cannot be made. A replica that is not ready yet is
/// no problem, and neither is the lack of the right to list events.
async fn warnings(client: &Client, namespace: &str, pods: &[Pod]) -> Vec<Problem> {
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    let warnings = ListParams::default().fields("type=Warning,involvedObject.kind=Pod");
    let events = events.list(&warnings).await.map(|list| list.items).unwrap_or_default();
    let ours = |event: &&Event| {
        let uid = event.involved_object.uid.as_ref();
        uid.is_some() && pods.iter().any(|pod| pod.metadata.uid.as_ref() == uid)
    };
    let told = events.iter().filter(ours).filter_map(|event| {
        let (reason, message) = (event.reason.clone()?, event.message.as_deref()?.trim());
        let is_start = ["Unhealthy", "FailedScheduling"].contains(&reason.as_str());
        // With too little memory the runtime says "OOM-killed", or only that a process has ended.
        let remedy = if reason == "FailedCreatePodSandBox" {
            " (it may be too little memory: see --memory-limit)"
        } else {
            ""
        };
        (!is_start).then(|| Problem { text: format!("{reason}: {message}{remedy}"), reason })
    });
    told.collect()
}

/// The replica set of the template that the deployment has now; none until its controller made it.
async fn newest(
    client: &Client,
    namespace: &str,
    deployment: &Deployment,
) -> Result<Option<ReplicaSet>, api::Error> {
    let observed = deployment.status.as_ref().and_then(|status| status.observed_generation);
    let Some(revision) = deployment.annotations().get(REVISION) else { return Ok(None) };
    if observed < deployment.metadata.generation {
        return Ok(None);
    }
    let sets: Api<ReplicaSet> = Api::namespaced(client.clone(), namespace);
    let ours = ListParams::default().labels(&selector());
    let sets = answer("list the", format!("replica sets of {namespace}"), sets.list(&ours)).await?;
    let is_owner = |owner: &OwnerReference| Some(&owner.uid) == deployment.metadata.uid.as_ref();
    Ok(sets.items.into_iter().find(|set| {
        set.annotations().get(REVISION) == Some(revision)
            && set.owner_references().iter().any(is_owner)
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::progress;

    #[test]
    fn old_replicas_do_not_count() {
        let deployment = |status| {
            let deployment = json!({"metadata": {"generation": 2}, "spec": {"replicas": 2,
                "selector": {}, "template": {}}, "status": status});
            progress(&from_value(deployment).unwrap()).done
        };
        let status = |generation, replicas, updated, available| {
            json!({"observedGeneration": generation, "replicas": replicas,
                "updatedReplicas": updated, "availableReplicas": available})
        };
        assert!(deployment(status(2, 2, 2, 1)));
        assert!(!deployment(status(1, 2, 2, 2)));
        assert!(!deployment(status(2, 3, 2, 3)));
        assert!(!deployment(status(2, 2, 2, 0)));
    }
}
