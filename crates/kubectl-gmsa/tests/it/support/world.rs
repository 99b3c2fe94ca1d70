//! A control plane of a test's own, into which the plug-in installs the webhook.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use assert_cmd::Command;
use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::installation::{self, Options, Version};
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::{Problem, StandIn, Workload};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::webhook;

/// How long to wait at most for what comes soon on a machine that does nothing else.
pub const SOON: Duration = Duration::from_mins(5);

pub struct World {
    pub plane: Arc<ControlPlane>,
    pub client: Client,
}

impl World {
    pub async fn new(test: &str) -> Option<Self> {
        let options =
            control_plane::Options { with_controller_manager: true, ..Default::default() };
        let plane = ControlPlane::start_private(test, options).await?;
        let client = plane.client().await;
        Some(Self { plane: Arc::new(plane), client })
    }

    pub fn version(&self) -> Version {
        let (major, minor) = self.plane.version();
        Version(major, minor)
    }

    pub async fn stand_in(&self, problem: Option<Problem>) -> StandIn {
        StandIn::start(&self.plane, Workload { problem, ..webhook() }).await
    }

    pub async fn run(&self, args: &[&str]) -> Output {
        let kubeconfig: PathBuf = self.plane.kubeconfig_path();
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let run = move || {
            Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"))
                .env("KUBECONFIG", kubeconfig)
                .args(args)
                .output()
                .unwrap()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// Runs a command that must succeed, and returns what it wrote to standard output.
    pub async fn done(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Every object of an installation as it is now, without what the server keeps by itself.
    pub async fn objects(&self) -> Vec<Option<Value>> {
        let applier = Applier::new(self.client.clone(), "test", false);
        let (major, minor) = self.plane.version();
        let wanted = installation::objects(&Options::default(), Version(major, minor));
        let mut live = Vec::new();
        for object in wanted.base.iter().chain(&wanted.webhooks) {
            let mut found = applier.live(object).await.unwrap();
            if let Some(found) = &mut found {
                let object = found.as_object_mut().unwrap();
                object.remove("status");
                object["metadata"].as_object_mut().unwrap().retain(|key, _| {
                    !["managedFields", "resourceVersion", "generation"].contains(&key.as_str())
                });
                // The Deployment controller counts.
                if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
                    annotations.remove("deployment.kubernetes.io/revision");
                }
            }
            live.push(found);
        }
        live
    }

    /// Makes a credential spec that the default account of a new namespace may use.
    pub async fn namespace(&self, name: &str) {
        self.bare_namespace(name, &json!({})).await;
        let applier = Applier::new(self.client.clone(), "test", true);
        for object in [
            objects::credential_spec("spec", "WebApp1"),
            objects::role("spec"),
            objects::binding("spec", name, "default"),
        ] {
            applier.apply(&object).await.unwrap();
        }
    }

    /// Creates a pod as a dry run; what comes back must be expanded.
    pub async fn admit(&self, namespace: &str) -> Result<(), String> {
        super::load::admit(&self.client, namespace).await
    }

    /// Creates a pod without a GMSA as a dry run.
    pub async fn plain(&self, namespace: &str) -> Result<(), String> {
        let pod = objects::pod(namespace, "plain", &json!({}));
        let pod: Pod = serde_json::from_value(pod).unwrap();
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        pods.create(&dry, &pod).await.map(drop).map_err(|error| error.to_string())
    }

    /// Makes a namespace, with labels, and waits until pods can be created in it.
    pub async fn bare_namespace(&self, name: &str, labels: &Value) {
        let applier = Applier::new(self.client.clone(), "test", true);
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels}});
        applier.apply(&namespace).await.unwrap();
        let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> =
            Api::namespaced(self.client.clone(), name);
        eventually("the service account exists", SOON, || async {
            let account = accounts.get_opt("default").await.unwrap()?;
            // Servers before 1.24 give it a token, and wait for that.
            (self.plane.at_least(1, 24) || account.secrets.is_some()).then_some(())
        })
        .await;
    }

    /// The object as it is, with everything that the server keeps.
    pub async fn live(&self, object: &Value) -> Option<Value> {
        Applier::new(self.client.clone(), "test", false).live(object).await.unwrap()
    }
}
