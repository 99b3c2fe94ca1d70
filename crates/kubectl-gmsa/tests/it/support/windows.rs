//! A cluster with the webhook installed and a stand-in Windows node.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::StandIn;
use gmsa_testkit::windows_node::WindowsNode;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::Client;
use kube::api::{Api, ListParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Ran, plugin, ran, webhook};

pub const SOON: Duration = Duration::from_mins(1);
pub const NAMESPACE: &str = "shop";
const COREFILE: &str =
    ".:53 {\n  forward . /etc/resolv.conf\n}\ncontoso.com:53 {\n  forward . 10.0.0.4\n}\n";

pub struct World {
    pub plane: ControlPlane,
    pub client: Client,
    pub node: WindowsNode,
    _stand_in: StandIn,
    files: tempfile::TempDir,
}

impl World {
    /// The plug-in with these arguments.
    pub async fn run(&self, args: &[&str]) -> Ran {
        self.run_as(&self.plane.kubeconfig_path(), args).await
    }

    /// The same with another kubeconfig.
    pub async fn run_as(&self, kubeconfig: &Path, args: &[&str]) -> Ran {
        let mut command = plugin(args);
        command.env("KUBECONFIG", kubeconfig);
        tokio::task::spawn_blocking(move || ran(&mut command)).await.unwrap()
    }

    /// `doctor TARGET` in the namespace, as a report.
    pub async fn doctor(&self, target: &str, more: &[&str]) -> (i32, Value) {
        let start = ["doctor", target, "-n", NAMESPACE, "-o", "json"];
        let args: Vec<&str> = start.into_iter().chain(more.iter().copied()).collect();
        let ran = self.run(&args).await;
        let report = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr));
        crate::schema::check("doctor-report", &report);
        (ran.code, report)
    }

    pub async fn apply(&self, object: &Value) {
        let applier = Applier::new(self.client.clone(), "test", true);
        applier.apply(object).await.unwrap_or_else(|error| panic!("{error}: {object:#}"));
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
            eventually("the node tells of the pod", SOON, || async {
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
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), NAMESPACE);
        let params = PostParams::default();
        let request = TokenRequest::default();
        let token = accounts.create_token_request(account, &params, &request).await.unwrap();
        let path = self.files.path().join(account);
        let ca = self.plane.dir().join("ca.crt");
        let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster":
                {"server": self.plane.url(), "certificate-authority": ca}}],
            "users": [{"name": "test", "user": {"token": token.status.unwrap().token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]});
        std::fs::write(&path, kubeconfig.to_string()).unwrap();
        path
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
    let options = control_plane::Options { with_controller_manager: true, ..Default::default() };
    let plane = ControlPlane::start_private(test, options).await?;
    let stand_in = StandIn::start(&plane, webhook()).await;
    let client = plane.client().await;
    let node = WindowsNode::start(&plane, "win1").await;
    let files = tempfile::tempdir().unwrap();
    let world = World { plane, client, node, _stand_in: stand_in, files };
    let installed = world.run(&["install"]).await;
    assert_eq!(installed.code, 0, "{}", installed.stderr);
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
