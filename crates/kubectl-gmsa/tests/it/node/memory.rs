//! A flood of the most expensive requests, sent to the port of a replica that has the memory it has by
//! default.

use std::time::{Duration, Instant};

use gmsa_testkit::https::Https;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use serde_json::{Value, json};

use super::Cluster;
use crate::support::load::admit;

const CONNECTIONS: usize = 32;
const SECONDS: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_expensive_requests_never_gets_a_replica_killed() {
    let test = "a_flood_of_expensive_requests_never_gets_a_replica_killed";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&[]).await;
    cluster.namespace("flood").await;
    let pod = cluster.pods().await.remove(0);
    let address = pod.status.as_ref().unwrap().pod_ip.clone().unwrap();
    let forward = cluster.node.forward(&format!("{address}:8443")).await;
    for body in bodies() {
        let end = Instant::now() + Duration::from_secs(SECONDS / 4);
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (body, port) = (body.clone(), forward.port);
            workers.spawn(async move {
                let mut answered = 0_usize;
                while Instant::now() < end {
                    let https = Https::trusting(([127, 0, 0, 1], port).into());
                    // A replica may turn a client away; it may not end.
                    answered += usize::from(https.post("/mutate", body.clone()).await.is_ok());
                }
                answered
            });
        }
        let answered: usize = workers.join_all().await.into_iter().sum();
        assert!(answered > 0, "no answer at all");
    }
    let now = cluster.pods().await.into_iter().find(|one| one.name_any() == pod.name_any());
    let now = now.expect("the pod is there");
    let statuses = |pod: &Pod| pod.status.clone().unwrap().container_statuses.unwrap();
    assert_eq!(statuses(&now)[0].restart_count, statuses(&pod)[0].restart_count, "{now:?}");
    let uid = now.uid().unwrap();
    let peak = cluster.node.shell(&format!(
        "find /sys/fs/cgroup -path '*pod{uid}*' \\( -name memory.max_usage_in_bytes -o -name memory.peak \\) \
         -exec cat {{}} + | sort -n | tail -1"
    ));
    eprintln!("peak of the pod: {} MiB", peak.trim().parse::<u64>().unwrap_or(0) >> 20);
    admit(&cluster.node.client, "flood").await.unwrap();
    cluster.remove_namespace("flood").await;
}

/// Reviews of nearly 3 MiB whose pods have as many elements as that allows, or long texts.
fn bodies() -> Vec<String> {
    let many = |element: &str| {
        let count = 2_900_000 / (element.len() + 1);
        format!("[{}]", vec![element; count].join(","))
    };
    let review = |pod: &str| {
        format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u",
            "kind":{{"group":"","version":"v1","kind":"Pod"}},
            "resource":{{"group":"","version":"v1","resource":"pods"}},
            "namespace":"flood","operation":"CREATE","object":{pod}}}}}"#
        )
    };
    let text: Value = json!("x".repeat(2_900_000));
    vec![
        review(&format!(r#"{{"metadata":{{"ownerReferences":{}}}}}"#, many("{}"))),
        review(&format!(r#"{{"spec":{{"containers":{}}}}}"#, many("{}"))),
        review(&format!(
            r#"{{"spec":{{"containers":{}}}}}"#,
            many(r#"{"securityContext":{"windowsOptions":{"gmsaCredentialSpecName":"spec"}}}"#)
        )),
        review(&format!(
            r#"{{"spec":{{"securityContext":{{"windowsOptions":{{"gmsaCredentialSpec":{text}}}}}}}}}"#
        )),
    ]
}
