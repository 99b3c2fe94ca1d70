//! Pods that wait, those of the webhook and of users: what each command says of them.

use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::windows::causes;
use crate::support::world::{SOON, World};

const NO_NODE: &str =
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";

impl World {
    /// What the doctor reports of a pod.
    async fn diagnosis(&self, pod: &str) -> Value {
        self.report(&["doctor", pod, "-n", "web"]).await.1
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_without_a_windows_node_is_the_cause_and_the_pod_that_asks_for_one_is_not() {
    let test = "a_cluster_without_a_windows_node_is_the_cause_and_the_pod_that_asks_for_one_is_not";
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("web").await;
    eventually("pods are admitted", SOON, || async { world.admit("web").await.ok() }).await;
    let corefile =
        ".:53 {\n  forward . /etc/resolv.conf\n}\ncontoso.com:53 {\n  forward . 10.0.0.4\n}\n";
    Applier::new(world.client.clone(), "test", true)
        .apply(&json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "data": {"Corefile": corefile}}))
        .await
        .unwrap();
    // As the scheduler leaves it.
    let pod = objects::pod("web", "waits", &objects::gmsa(Some("spec"), None));
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), "web");
    pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
    let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": NO_NODE});
    let status = json!({"status": {"phase": "Pending", "conditions": [condition]}});
    pods.patch_status("waits", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();

    let report = world.diagnosis("waits").await;
    assert_eq!(causes(&report), ["node-present"], "{report:#}");
    let shown = world.run(&["doctor", "waits", "-n", "web"]).await.stdout;
    assert!(shown.contains("1. node-present"), "{shown}");
    assert!(shown.contains("the cluster has no Windows node"), "{shown}");
    assert!(shown.contains("hence pod-scheduled"), "{shown}");
    assert!(shown.contains("Add a Windows node"), "{shown}");

    // With one, it is the pod again.
    let nodes: Api<Node> = Api::all(world.client.clone());
    let node = json!({"metadata": {"name": "win1", "labels": {"kubernetes.io/os": "windows"}}});
    let node: Node = serde_json::from_value(node).unwrap();
    nodes.create(&PostParams::default(), &node).await.unwrap();
    let status = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}],
        "nodeInfo": {"operatingSystem": "windows", "kernelVersion": "10.0.20348.2031",
            "containerRuntimeVersion": "containerd://1.7.1", "architecture": "amd64",
            "bootID": "", "machineID": "", "systemUUID": "", "kubeletVersion": "v1.20.2",
            "kubeProxyVersion": "v1.20.2", "osImage": ""}}});
    nodes.patch_status("win1", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    let report = world.diagnosis("waits").await;
    assert_eq!(causes(&report), ["pod-scheduled"], "{report:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn install_says_each_reason_once_and_none_of_the_replica_set_before() {
    let test = "install_says_each_reason_once_and_none_of_the_replica_set_before";
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    // The API server makes no pod of a class that does not exist.
    let first = world.run(&["install", "--priority-class=missing"]).await;
    let said = first.stderr;
    assert_eq!(first.code, 3, "{said}");
    let waiting = "waiting: its pods cannot be created: ";
    assert_eq!(said.matches(waiting).count(), 1, "{said}");
    assert!(said.contains("no PriorityClass with name missing"), "{said}");

    let second = world.run(&["install", "--priority-class=system-cluster-critical"]).await;
    let said = second.stderr;
    assert_eq!(second.code, 0, "{said}");
    assert!(said.contains("waiting: "), "it did not wait: {said}");
    assert!(!said.contains("missing") && !said.contains("cannot be created"), "{said}");
}
