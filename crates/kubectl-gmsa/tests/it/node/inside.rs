//! The doctor's commands inside a container, through a real kubelet and container runtime. The pod runs
//! Linux, and its image has programs that answer for those of Windows with recordings.

use std::collections::BTreeMap;

use gmsa_testkit::node::HELPER_IMAGE;
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::recordings;
use gmsa_testkit::windows_node::Recording;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, PostParams};
use serde_json::{Value, json};

use super::Cluster;
use crate::support::windows::{causes, outcomes};
use crate::support::world::SOON;

const NAMESPACE: &str = "inside";
/// What only commands in the container can find out.
const INSIDE: [&str; 4] =
    ["pod-credential-spec", "pod-dns", "pod-domain-controller", "pod-secure-channel"];

impl Cluster {
    /// Starts a pod whose programs answer so, and waits until it runs.
    async fn windows_pod(&self, name: &str, recording: &Recording) {
        let files: BTreeMap<String, String> = recording.files();
        self.apply(&json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": NAMESPACE}, "data": files}))
            .await;
        let mut pod = objects::pod(NAMESPACE, name, &objects::gmsa(Some("spec"), None));
        // The only node has another system; that of the stand-in is not looked at.
        pod["spec"]["nodeSelector"] = json!({});
        pod["spec"]["terminationGracePeriodSeconds"] = json!(0);
        pod["spec"]["containers"] = json!([{"name": "iis", "image": HELPER_IMAGE,
            "volumeMounts": [{"name": "answers", "mountPath": "/answers"}]}]);
        pod["spec"]["volumes"] = json!([{"name": "answers", "configMap": {"name": name}}]);
        let pods: Api<Pod> = Api::namespaced(self.node.client.clone(), NAMESPACE);
        pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
        eventually("the pod runs", SOON, || async {
            let status = pods.get(name).await.unwrap().status?;
            (status.phase.as_deref() == Some("Running")).then_some(())
        })
        .await;
    }

    /// A Deployment that asks for Windows waits for the node that the cluster lacks.
    async fn the_missing_node_is_the_cause(&self) {
        let pod = objects::pod(NAMESPACE, "x", &objects::gmsa(Some("spec"), None));
        self.apply(&objects::deployment(NAMESPACE, "waits", &pod)).await;
        let pods: Api<Pod> = Api::namespaced(self.node.client.clone(), NAMESPACE);
        eventually("the scheduler finds no node for it", SOON, || async {
            let pods = pods.list(&ListParams::default()).await.unwrap().items;
            pods.iter().find(|pod| {
                let conditions = pod.status.iter().flat_map(|status| &status.conditions).flatten();
                conditions.into_iter().any(|one| {
                    one.type_ == "PodScheduled" && one.reason.as_deref() == Some("Unschedulable")
                })
            })?;
            Some(())
        })
        .await;
        let (_, report) = self.doctor("deployment/waits", &[]).await;
        let causes = causes(&report);
        assert_eq!(causes.first(), Some(&"node-present"), "{report:#}");
        assert!(!causes.contains(&"pod-scheduled"), "{report:#}");
    }

    async fn doctor(&self, pod: &str, more: &[&str]) -> (i32, Value) {
        let args = [&["doctor", pod, "-n", NAMESPACE, "-o", "json"][..], more].concat();
        let ran = self.run(&args).await;
        let report = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr));
        (ran.code, report)
    }
}

fn is_problem(report: &Value, check: &str) -> bool {
    outcomes(report, check).iter().any(|one| one["state"] == "problem")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_looks_into_a_container_and_repairs_its_channel() {
    let test = "the_doctor_looks_into_a_container_and_repairs_its_channel";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&[]).await;
    cluster.namespace(NAMESPACE).await;
    for (name, recording, cause) in [
        ("healthy", recordings::healthy(), None),
        ("no-spec", recordings::no_credential_spec(), Some("pod-credential-spec")),
        ("dns", recordings::dns_broken(), Some("pod-dns")),
        ("no-dc", recordings::controller_unreachable(), Some("pod-domain-controller")),
        ("channel", recordings::channel_repaired_by_reset(), Some("pod-secure-channel")),
    ] {
        cluster.windows_pod(name, &recording).await;
        let (_, report) = cluster.doctor(name, &[]).await;
        // That the node does not run Windows is a cause in each of them.
        for check in INSIDE {
            let expected = cause == Some(check);
            let broken = is_problem(&report, check);
            let follows = cause.is_some_and(|cause| cause != check);
            assert!(broken == expected || follows, "{name}: {check}: {report:#}");
        }
    }
    cluster.the_missing_node_is_the_cause().await;
    let (_, report) = cluster.doctor("channel", &["--repair", "--yes"]).await;
    assert!(!is_problem(&report, "pod-secure-channel"), "{report:#}");

    cluster.windows_pod("hangs", &recordings::hanging()).await;
    let (_, report) = cluster.doctor("hangs", &["--exec-timeout=3"]).await;
    let words = "did not end within 3 s; it may still run there";
    assert!(report.to_string().contains(words), "{report:#}");
    // It does: the end of the connection is not that of the command.
    let running = cluster.node.shell("pgrep -x nltest || true");
    assert!(!running.is_empty(), "{report:#}");
    cluster.remove_namespace(NAMESPACE).await;
}
