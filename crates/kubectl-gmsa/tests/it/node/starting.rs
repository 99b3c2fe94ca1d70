//! Installations that do not start say why, and block no pod; and what brings them up.

use std::process::Command;

use gmsa_cluster::installation::IMAGE;
use gmsa_core::names::NAME;
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota, ServiceAccount};
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;

use super::Cluster;
use crate::support::load::{Load, admit};
use crate::support::world::SOON;

/// What keeps the pods from running, and the words of it.
const CASES: [(&str, &[&str]); 3] = [
    ("--image=kube-gmsa.test/none:1", &["image", "kube-gmsa.test/none:1"]),
    ("--node-selector=kube-gmsa.test/disk=none", &["not scheduled", "0/1 nodes are available"]),
    // "OOM-killed", or "cannot start a stopped process": what ended first decides.
    ("--memory-limit=2Mi", &["FailedCreatePodSandBox", "it may be too little memory"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_start_says_why_and_blocks_no_pod() {
    let test = "what_does_not_start_says_why_and_blocks_no_pod";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.without_installation().await;
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(cluster.node.client.clone());
    for (option, words) in CASES {
        let small = ["--memory-request=2Mi"];
        let small = if option.contains("memory") { &small[..] } else { &[] };
        let args = [&["install", option, "--wait=10"], small].concat();
        let ran = cluster.run(&args).await;
        eprintln!("{option}: {}", ran.stderr);
        assert_eq!(ran.code, 3, "{option}: {}{}", ran.stdout, ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "{option}: {word}: {}", ran.stderr);
        }
        assert!(configurations.get_opt(NAME).await.unwrap().is_none(), "{option}");
        for command in ["status", "doctor"] {
            let ran = cluster.run(&[command]).await;
            assert_eq!(ran.code, 1, "{command}: {}", ran.stdout);
            // What only events know is for `kubectl describe`.
            for word in words.iter().filter(|_| !option.contains("memory")) {
                assert!(ran.stdout.contains(word), "{option}: {command}: {word}: {}", ran.stdout);
            }
        }
        // The next one begins with the other options as they are by default.
        cluster.without_installation().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_that_refuses_the_pods_is_reported_at_once() {
    let test = "a_quota_that_refuses_the_pods_is_reported_at_once";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&[]).await;
    let quotas: Api<ResourceQuota> = Api::namespaced(cluster.node.client.clone(), NAME);
    let quota = json!({"metadata": {"name": "two"}, "spec": {"hard": {"pods": "2"}}});
    let quota = serde_json::from_value(quota).unwrap();
    quotas.create(&PostParams::default(), &quota).await.unwrap();
    eventually("the quota counts the replicas", SOON, || async {
        let used = quotas.get("two").await.unwrap().status?.used?;
        (used.get("pods")?.0 == "2").then_some(())
    })
    .await;
    // One more at a time is made, and may not be.
    let ran = cluster.run(&["upgrade", "--memory-limit=127Mi", "--wait=600"]).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    for words in ["its pods cannot be created", "exceeded quota: two"] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    // What ran before still answers, and both commands say what is wrong.
    for command in ["status", "doctor"] {
        let ran = cluster.run(&[command]).await;
        for words in ["webhook-rollout", "exceeded quota: two"] {
            assert!(ran.stdout.contains(words), "{command}: {words}: {}", ran.stdout);
        }
    }
    cluster.namespace("quota").await;
    admit(&cluster.node.client, "quota").await.unwrap();
    quotas.delete("two", &DeleteParams::default()).await.unwrap();

    // A policy of the namespace refuses them as well.
    let limits: Api<LimitRange> = Api::namespaced(cluster.node.client.clone(), NAME);
    let limit = json!({"metadata": {"name": "small"}, "spec": {"limits": [
        {"type": "Container", "max": {"memory": "64Mi"}}]}});
    limits.create(&PostParams::default(), &serde_json::from_value(limit).unwrap()).await.unwrap();
    let ran = cluster.run(&["upgrade", "--memory-limit=125Mi", "--wait=600"]).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    for words in ["its pods cannot be created", "maximum memory usage per Container is 64Mi"] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    limits.delete("small", &DeleteParams::default()).await.unwrap();

    cluster.done(&["upgrade"]).await;
    cluster.rolled_out().await;
    admit(&cluster.node.client, "quota").await.unwrap();
    cluster.remove_namespace("quota").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_upgrade_costs_no_creation_and_is_undone() {
    let test = "a_broken_upgrade_costs_no_creation_and_is_undone";
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&[]).await;
    cluster.namespace("undone").await;
    let load = Load::start(&cluster.node.client, "undone");
    let broken = ["upgrade", "--image=kube-gmsa.test/none:1", "--wait=5"];
    for back in [Back::Upgrade, Back::Undo] {
        let ran = cluster.run(&broken).await;
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stderr.contains("kube-gmsa.test/none:1"), "{}", ran.stderr);
        load.nothing_failed("in a broken upgrade").await;
        if matches!(back, Back::Undo) {
            let mut undo = Command::new(&kubectl);
            undo.args(["rollout", "undo", "-n", NAME, "deployment/gmsa-webhook"]);
            let output = undo.env("KUBECONFIG", &cluster.node.kubeconfig).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            cluster.rolled_out().await;
            load.nothing_failed("while it was undone").await;
        }
        cluster.done(&["upgrade", "--image", IMAGE]).await;
        cluster.rolled_out().await;
        load.nothing_failed("in an upgrade to what was").await;
    }
    // `kubectl rollout undo` restored the options too, and owns them from then on.
    let change = ["upgrade", "--memory-limit=124Mi"];
    let ran = cluster.run(&change).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("run again with --force-conflicts"), "{}", ran.stderr);
    cluster.done(&[&change[..], &["--force-conflicts"]].concat()).await;
    cluster.rolled_out().await;
    load.nothing_failed("in an upgrade that takes the fields back").await;
    load.end().await;
    let status = cluster.run(&["status"]).await;
    assert_eq!(status.code, 0, "{}", status.stdout);
    cluster.remove_namespace("undone").await;
    cluster.without_installation().await;
}

/// How a broken upgrade is undone.
enum Back {
    /// `kubectl rollout undo`.
    Undo,
    /// The upgrade to what was before.
    Upgrade,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_network_of_the_only_node_a_change_rolls_out() {
    let test = "on_the_network_of_the_only_node_a_change_rolls_out";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&["--replicas=1", "--host-network", "--port=10443"]).await;
    cluster.namespace("host").await;
    admit(&cluster.node.client, "host").await.unwrap();
    cluster.done(&["upgrade", "--memory-limit=126Mi"]).await;
    cluster.rolled_out().await;
    admit(&cluster.node.client, "host").await.unwrap();
    cluster.remove_namespace("host").await;
    cluster.without_installation().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_was_deleted_comes_back_with_install() {
    let test = "an_account_that_was_deleted_comes_back_with_install";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&[]).await;
    cluster.namespace("account").await;
    admit(&cluster.node.client, "account").await.unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.node.client.clone(), NAME);
    accounts.delete(NAME, &DeleteParams::default()).await.unwrap();
    let said = cluster.done(&["install"]).await;
    assert!(said.contains(&format!("serviceaccount/{NAME} created")), "{said}");
    cluster.rolled_out().await;
    eventually("pods are admitted", SOON, || async {
        admit(&cluster.node.client, "account").await.ok()
    })
    .await;
    let status = cluster.run(&["status"]).await;
    assert_eq!(status.code, 0, "{}", status.stdout);
    cluster.remove_namespace("account").await;
}
