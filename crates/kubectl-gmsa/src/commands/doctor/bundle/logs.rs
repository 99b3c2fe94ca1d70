//! The end of the logs of the webhook's replicas.

use std::time::Duration;

use gmsa_cluster::api::client::why;
use gmsa_cluster::api::value::{array, text};
use kube::Client;
use kube::api::{LogParams, Request};
use serde_json::Value;

use super::archive::{Archive, Content};

/// How many lines of each container are kept, and how many bytes at most.
const LINES: i64 = 2000;
const BYTES: i64 = 512 * 1024;
/// A node that does not answer is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the log of each container of the pods, and that of the one before if it was restarted: it says
/// why.
pub async fn read(client: &Client, pods: &[Value], archive: &mut Archive) {
    for pod in pods {
        for container in array(pod, "/spec/containers") {
            let container = text(container, "/name");
            add(client, pod, container, false, archive).await;
            if was_restarted(pod, container) {
                add(client, pod, container, true, archive).await;
            }
        }
    }
}

fn was_restarted(pod: &Value, container: &str) -> bool {
    array(pod, "/status/containerStatuses").any(|status| {
        text(status, "/name") == container && status.pointer("/lastState/terminated").is_some()
    })
}

async fn add(client: &Client, pod: &Value, container: &str, previous: bool, archive: &mut Archive) {
    let (namespace, pod) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    match one(client, namespace, pod, container, previous).await {
        Ok(log) => {
            let which = if previous { ".previous" } else { "" };
            let name = format!("logs/{namespace}/{pod}/{container}{which}.log");
            archive.add(&name, Content::Text(log));
        }
        Err(why) => {
            let which = if previous { "the previous container" } else { "container" };
            archive.missed(format!(
                "failed to read the log of {which} {container} of Pod {namespace}/{pod}: {why}"
            ));
        }
    }
}

async fn one(
    client: &Client,
    namespace: &str,
    pod: &str,
    container: &str,
    previous: bool,
) -> Result<String, String> {
    let params = LogParams {
        container: Some(container.to_owned()),
        previous,
        tail_lines: Some(LINES),
        limit_bytes: Some(BYTES),
        timestamps: true,
        ..LogParams::default()
    };
    let request = Request::new(format!("/api/v1/namespaces/{namespace}/pods"));
    let request = request.logs(pod, &params).map_err(|error| error.to_string())?;
    match tokio::time::timeout(PATIENCE, client.request_text(request)).await {
        Ok(Ok(log)) => Ok(log),
        Ok(Err(error)) => Err(why(&error)),
        Err(_) => Err("no answer in time".to_owned()),
    }
}
