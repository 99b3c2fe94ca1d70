//! Waits for a replica, and says why there is none.

use std::time::{Duration, Instant};

use gmsa_cluster::api::client::why;
use gmsa_cluster::installation::NAME;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};

use crate::failure::Failure;
use crate::output::printer;

const PAUSE: Duration = Duration::from_millis(500);

/// Waits until a replica of what was asked for is available.
pub async fn available(client: &Client, namespace: &str, end: Instant) -> Result<(), Failure> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let mut told = String::new();
    loop {
        let deployment = deployments.get(NAME).await.map_err(|error| {
            Failure::cluster(format!(
                "failed to read the Deployment {namespace}/{NAME}: {}",
                why(&error)
            ))
        })?;
        let progress = progress(&deployment);
        if progress.done {
            return Ok(());
        }
        let problems = problems(client, namespace).await?;
        if Instant::now() >= end {
            let problems = if problems.is_empty() {
                "its pods say nothing; see kubectl describe deployment".to_owned()
            } else {
                problems.join("; ")
            };
            return Err(Failure::Cluster(format!(
                "no replica of {namespace}/{NAME} became available in time: {problems}. The \
                 webhook configurations were not changed, so no pod is held up; when it is mended, \
                 run the same command again"
            )));
        }
        let now = if problems.is_empty() {
            progress.text
        } else {
            format!("{}: {}", progress.text, problems.join("; "))
        };
        if now != told {
            printer::note(&now);
            told = now;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

struct Progress {
    done: bool,
    text: String,
}

fn progress(deployment: &Deployment) -> Progress {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = deployment.status.clone().unwrap_or_default();
    let observed = status.observed_generation >= deployment.metadata.generation;
    let updated = status.updated_replicas.unwrap_or(0);
    let available = status.available_replicas.unwrap_or(0);
    let replicas = status.replicas.unwrap_or(0);
    Progress {
        // Old replicas are gone, so what answers is what was asked for.
        done: observed && updated == wanted && available >= 1 && replicas == updated,
        text: format!("waiting: {available} of {wanted} replicas are available"),
    }
}

/// Why pods do not run, in their own words.
async fn problems(client: &Client, namespace: &str) -> Result<Vec<String>, Failure> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let ours = ListParams::default().labels(&format!("app.kubernetes.io/name={NAME}"));
    let pods = pods.list(&ours).await.map_err(|error| {
        Failure::cluster(format!("failed to list the pods of {namespace}: {}", why(&error)))
    })?;
    let mut problems: Vec<String> = pods.items.iter().filter_map(problem).collect();
    problems.sort();
    problems.dedup();
    Ok(problems)
}

fn problem(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        let message = condition.message.as_deref().unwrap_or("no reason is given");
        let remedy = if message.contains("taint") {
            " (tolerate the taint with --toleration)"
        } else if message.contains("Insufficient") {
            " (free some, or ask for less with --cpu-request and --memory-request)"
        } else if message.contains("affinity") || message.contains("selector") {
            " (see --node-selector and --affinity-file)"
        } else {
            ""
        };
        return Some(format!("pod {} is not scheduled: {message}{remedy}", pod.name_any()));
    }
    status.container_statuses.iter().flatten().find_map(|container| reason(pod, container))
}

fn reason(pod: &Pod, container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        if matches!(reason, "" | "ContainerCreating" | "PodInitializing") {
            return None;
        }
        let message = waiting.message.as_deref().unwrap_or_default();
        let remedy = if reason.contains("Image") {
            " (give a reachable image with --image, or a Secret with --image-pull-secret)"
        } else if reason == "CrashLoopBackOff" {
            " (see kubectl logs)"
        } else {
            ""
        };
        return Some(format!("pod {}: {reason}: {message}{remedy}", pod.name_any()));
    }
    let ended = state.terminated.as_ref()?;
    Some(format!("pod {} ended with code {}", pod.name_any(), ended.exit_code))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::{problem, progress};

    #[test]
    fn an_image_that_cannot_be_pulled_and_a_pod_without_a_node_are_told() {
        for (status, words) in [
            (
                json!({"containerStatuses": [{"name": "webhook", "image": "i", "imageID": "",
                    "ready": false, "restartCount": 0, "state": {"waiting":
                    {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}]}),
                ["ImagePullBackOff", "--image-pull-secret"],
            ),
            (
                json!({"conditions": [{"type": "PodScheduled", "status": "False",
                    "message": "0/3 nodes are available"}]}),
                ["not scheduled", "0/3 nodes"],
            ),
        ] {
            let pod = from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap();
            let told = problem(&pod).unwrap();
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
        }
        let starting = json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [
            {"name": "webhook", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ContainerCreating"}}}]}});
        assert_eq!(problem(&from_value(starting).unwrap()), None);
    }

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
