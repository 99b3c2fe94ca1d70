//! A cluster with the webhook installed and a stand-in Windows node.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::PathBuf;
use std::time::Duration;

use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::StandIn;
use gmsa_testkit::windows_node::WindowsNode;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, PostParams};
use serde_json::{Value, json};

use crate::support::world;

pub const SOON: Duration = Duration::from_mins(1);
pub const NAMESPACE: &str = "shop";
const COREFILE: &str =
    ".:53 {\n  forward . /etc/resolv.conf\n}\ncontoso.com:53 {\n  forward . 10.0.0.4\n}\n";

pub struct World {
    base: world::World,
    pub node: WindowsNode,
    _stand_in: StandIn,
}

impl std::ops::Deref for World {
    type Target = world::World;

    fn deref(&self) -> &world::World {
        &self.base
    }
}

impl World {
    /// `doctor TARGET` in the namespace, as a report.
    pub async fn doctor(&self, target: &str, more: &[&str]) -> (i32, Value) {
        let start = ["doctor", target, "-n", NAMESPACE];
        let (code, report) = self.report(&[&start, more].concat()).await;
        crate::schema::check("doctor-report", &report);
        (code, report)
    }

    /// Creates a pod of the service account `web` that uses the credential spec `web`, and waits
    /// until the node has reported its status.
    pub async fn pod(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut pod = objects::pod(NAMESPACE, name, &objects::gmsa(Some("web"), None));
        pod["spec"]["serviceAccountName"] = json!("web");
        change(&mut pod);
        let namespace = pod["metadata"]["namespace"].as_str().unwrap().to_owned();
        let told = pod["spec"]["nodeName"] != json!("stand-in");
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
        pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
        if told {
            eventually("the node reports the pod's status", SOON, || async {
                let status = pods.get(name).await.unwrap().status?;
                status.container_statuses.filter(|statuses| !statuses.is_empty())
            })
            .await;
        }
    }

    pub async fn pods(&self, selector: &str) -> Vec<Pod> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        pods.list(&ListParams::default().labels(selector)).await.unwrap().items
    }

    /// A kubeconfig of a service account.
    pub async fn kubeconfig_of(&self, account: &str) -> PathBuf {
        self.plane.token_kubeconfig(NAMESPACE, account).await
    }
}

/// The root causes, the first one first.
pub fn causes(report: &Value) -> Vec<&str> {
    let causes = report["verdict"]["causes"].as_array().unwrap();
    causes.iter().map(|cause| cause["check"].as_str().unwrap()).collect()
}

/// The outcomes of a check.
pub fn outcomes<'a>(report: &'a Value, check: &str) -> Vec<&'a Value> {
    report["outcomes"].as_array().unwrap().iter().filter(|one| one["check"] == check).collect()
}

/// Everything installed, healthy, and a namespace in which `web` may use `web`.
pub async fn world(test: &str) -> Option<World> {
    let base = world::World::new(test).await?;
    let stand_in = base.stand_in(None).await;
    let node = WindowsNode::start(&base.plane, "win1").await;
    let world = World { base, node, _stand_in: stand_in };
    world.done(&["install"]).await;
    for object in [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "web", "namespace": NAMESPACE}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "data": {"Corefile": COREFILE}}),
        objects::credential_spec("web", "WebApp1"),
        objects::role("web"),
        objects::binding("web", NAMESPACE, "web"),
    ] {
        world.apply(&object).await;
    }
    // Caches of the API server lag behind.
    eventually("the doctor finds nothing", SOON, || async {
        let ran = world.run(&["doctor", "--fail-on", "info"]).await;
        (ran.code == 0).then_some(())
    })
    .await;
    Some(world)
}
