//! Installations that do not start say why, and block no pod; and what brings them up.

use std::process::Command;

use gmsa_cluster::installation::IMAGE;
use gmsa_core::names::NAME;
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{LimitRange, Node, ResourceQuota, ServiceAccount};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{Cluster, install};
use crate::support::load::{Load, admit};
use crate::support::world::SOON;

/// What keeps the pods from running.
struct Case {
    /// Options of install; without any, a taint of the only node.
    options: &'static [&'static str],
    /// What install says.
    words: &'static [&'static str],
    /// What status and doctor say; only events know some things, which are for `kubectl describe`.
    seen: &'static [&'static str],
}

const CASES: [Case; 5] = [
    Case {
        options: &["--node-selector=kube-gmsa.test/disk=none"],
        words: &["is not scheduled: 0/1 nodes are available", "see --node-selector"],
        seen: &["not scheduled", "0/1 nodes are available"],
    },
    Case {
        options: &["--image=kube-gmsa.test/none:1"],
        words: &["ImagePull", "kube-gmsa.test/none:1", "--image-pull-secret"],
        seen: &["image", "kube-gmsa.test/none:1"],
    },
    Case {
        options: &[],
        words: &["taint", "tolerate the taint with --toleration"],
        seen: &["taint"],
    },
    Case {
        options: &["--memory-limit=1000Gi", "--memory-request=1000Gi"],
        words: &["Insufficient memory", "ask for less with --cpu-request and --memory-request"],
        seen: &["Insufficient memory"],
    },
    // "OOM-killed", or "cannot start a stopped process": what ended first decides.
    Case {
        options: &["--memory-limit=2Mi", "--memory-request=2Mi"],
        words: &["FailedCreatePodSandBox", "it may be too little memory"],
        seen: &[],
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_start_says_why_and_blocks_no_pod() {
    let test = "what_does_not_start_says_why_and_blocks_no_pod";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.without_installation().await;
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(cluster.node.client.clone());
    for (index, Case { options, words, seen }) in CASES.into_iter().enumerate() {
        let is_tainted = options.is_empty();
        if is_tainted {
            cluster.taint(&json!([{"key": "kube-gmsa.test/full", "effect": "NoSchedule"}])).await;
        }
        // Each is of the newest pods alone: those of the case before are still there.
        let installed = cluster.run(&[&install(options)[..], &["--wait=10"]].concat()).await;
        let status = cluster.run(&["status"]).await;
        let doctor = cluster.run(&["doctor"]).await;
        if is_tainted {
            cluster.taint(&json!(null)).await;
        }
        eprintln!("{options:?}: {}", installed.stderr);
        assert_eq!(installed.code, 3, "{options:?}: {}{}", installed.stdout, installed.stderr);
        for word in words.iter().chain(&["no pod is blocked"]) {
            assert!(installed.stderr.contains(word), "{options:?}: {word}: {}", installed.stderr);
        }
        // Not every scheduler names it.
        let named = ["kube-gmsa.test/full", "`kubectl describe node NAME` shows it"];
        let named = named.into_iter().any(|words| installed.stderr.contains(words));
        assert_eq!(named, is_tainted, "{options:?}: {}", installed.stderr);
        assert!(configurations.get_opt(NAME).await.unwrap().is_none(), "{options:?}");
        for ran in [status, doctor] {
            assert_eq!(ran.code, 1, "{options:?}: {}", ran.stdout);
            for word in seen {
                assert!(ran.stdout.contains(word), "{options:?}: {word}: {}", ran.stdout);
            }
        }
        if index == 0 {
            cluster.every_replica_is_pending(words[0]).await;
        }
    }
    // When the cause is gone, the same command finishes the installation.
    cluster.installed(&[]).await;
    cluster.namespace("started").await;
    admit(&cluster.node.client, "started").await.unwrap();
    cluster.remove_namespace("started").await;
}

impl Cluster {
    /// Gives the only node these taints.
    async fn taint(&self, taints: &Value) {
        let nodes: Api<Node> = Api::all(self.node.client.clone());
        let patch = json!({"spec": {"taints": taints}});
        nodes.patch("node1", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// What has no address cannot be asked, and nothing is wrong with its metrics.
    async fn every_replica_is_pending(&self, why: &str) {
        let ran = self.run(&["status", "-o", "json"]).await;
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        crate::schema::check("status", &report);
        let replicas = report["replicas"].as_array().unwrap();
        assert_eq!(replicas.len(), 2, "{report:#}");
        for replica in replicas {
            let pending = replica["pending"].as_str().unwrap();
            assert!(pending.starts_with("pending and without an address yet: "), "{pending}");
            assert!(pending.contains(why), "{pending}");
            assert!(replica["problem"].is_null() && replica["metrics"].is_null(), "{replica:#}");
        }
        let table = self.run(&["status"]).await.stdout;
        let is_row = |line: &&str| line.starts_with("gmsa-webhook-");
        let rows: Vec<&str> = table.lines().filter(is_row).collect();
        assert_eq!(rows.len(), 2, "{table}");
        assert!(rows.iter().all(|row| row.contains(" pending ")), "{table}");
        assert!(!table.contains("could not be read"), "{table}");
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
