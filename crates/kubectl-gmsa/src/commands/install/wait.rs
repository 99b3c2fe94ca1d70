//! Waits for a replica, and says why there is none.

use std::time::{Duration, Instant};

use gmsa_cluster::api::client::why;
use gmsa_cluster::installation::NAME;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ListParams};

use crate::failure::Failure;
use crate::installation::pods;
use crate::output::printer;

const PAUSE: Duration = Duration::from_millis(500);
/// How long pods may fail to be created before waiting is given up. A controller tries about ten
/// times in this time, and more and more rarely after it.
const HOPELESS: Duration = Duration::from_secs(15);

/// Waits until a replica of what was asked for is available.
pub async fn available(client: &Client, namespace: &str, end: Instant) -> Result<(), Failure> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let mut told = String::new();
    let mut failing = None;
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
        let failure = pods::replica_failure(&deployment);
        let since = failure.is_some().then(|| failing.unwrap_or_else(Instant::now));
        failing = since;
        let hopeless = since.is_some_and(|since| since.elapsed() >= HOPELESS);
        let mut problems = problems(client, namespace).await?;
        problems.extend(failure);
        if hopeless || Instant::now() >= end {
            let problems = if problems.is_empty() {
                format!("see kubectl describe deployment {NAME} -n {namespace}")
            } else {
                problems.join("; ")
            };
            return Err(Failure::Cluster(format!(
                "no replica of {namespace}/{NAME} became available{}: {problems}. The webhook \
                 configurations were not changed, so no pod is held up; when it is fixed, run the \
                 same command again",
                if hopeless { "" } else { " in time" }
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
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let ours = ListParams::default().labels(&pods::selector());
    let pods = api.list(&ours).await.map_err(|error| {
        Failure::cluster(format!("failed to list the pods of {namespace}: {}", why(&error)))
    })?;
    let mut problems: Vec<String> = pods.items.iter().filter_map(pods::problem).collect();
    problems.sort();
    problems.dedup();
    Ok(problems)
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
