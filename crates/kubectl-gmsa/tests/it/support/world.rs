//! A test's own control plane, into which the plugin installs the webhook.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gmsa_cluster::api::apply::{Applier, shown};
use gmsa_cluster::installation::{self, Options, Version};
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::requests;
use gmsa_testkit::stand_in::{Problem, StandIn, Workload};
use gmsa_testkit::tools::skip_in_ci_too;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::{Ran, plugin, ran, webhook};

/// How long to wait at most for what comes soon on a machine that does nothing else.
pub const SOON: Duration = Duration::from_mins(5);

pub struct World {
    pub plane: Arc<ControlPlane>,
    pub client: Client,
}

impl World {
    /// With controllers: Deployments become pods, and namespaces get their service account.
    pub async fn new(test: &str) -> Option<Self> {
        let options =
            control_plane::Options { with_controller_manager: true, ..Default::default() };
        Self::start(test, options).await
    }

    /// The same, if Kubernetes is at least 1.`minor`: otherwise the test is skipped by name.
    pub async fn since(minor: u32, test: &str, why_not: &str) -> Option<Self> {
        // Without starting one.
        if control_plane::version_of_programs(test)? < (1, minor) {
            skip_in_ci_too(test, why_not);
            return None;
        }
        Self::new(test).await
    }

    pub async fn start(test: &str, options: control_plane::Options) -> Option<Self> {
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

    pub async fn run(&self, args: &[&str]) -> Ran {
        self.run_as(&self.plane.kubeconfig_path(), args).await
    }

    /// The same with another kubeconfig. The tasks of the test go on meanwhile.
    pub async fn run_as(&self, kubeconfig: &Path, args: &[&str]) -> Ran {
        let mut command = plugin(args);
        command.env("KUBECONFIG", kubeconfig);
        tokio::task::spawn_blocking(move || ran(&mut command)).await.unwrap()
    }

    /// Runs a command that must succeed, and returns its standard output.
    pub async fn done(&self, args: &[&str]) -> String {
        let ran = self.run(args).await;
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// A command's report as JSON, with its exit code.
    pub async fn report(&self, args: &[&str]) -> (i32, Value) {
        let ran = self.run(&[args, &["-o", "json"]].concat()).await;
        let report = serde_json::from_str(&ran.stdout);
        let report = report.unwrap_or_else(|error| panic!("{args:?}: {error}: {}", ran.stderr));
        (ran.code, report)
    }

    pub fn applier(&self) -> Applier {
        Applier::new(self.client.clone(), "test", true)
    }

    /// Applies an object; a kind whose definition is new is waited for.
    pub async fn apply(&self, object: &Value) {
        let applier = self.applier();
        let what = format!("{} is applied", shown(object));
        eventually(&what, SOON, || async { applier.apply(object).await.ok() }).await;
    }

    /// Sends a request for any path of the API server; a PATCH is a merge patch.
    pub async fn request(&self, method: &str, path: &str, body: &Value) -> kube::Result<Value> {
        requests::request(&self.client, method, path, body).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let found = self.request("GET", path, &Value::Null).await;
        found.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Changes an object as another user would, so that the plugin no longer owns the fields.
    pub async fn patch(&self, path: &str, change: &Value) {
        let done = self.request("PATCH", path, change).await;
        done.unwrap_or_else(|error| panic!("PATCH {path}: {error}"));
    }

    /// Every object of an installation as it is now, without what the server keeps by itself.
    pub async fn objects(&self) -> Vec<Option<Value>> {
        let applier = self.applier();
        let wanted = installation::objects(&Options::default(), self.version());
        let mut live = Vec::new();
        for object in wanted.iter() {
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
        for object in [
            objects::credential_spec("spec", "WebApp1"),
            objects::role("spec"),
            objects::binding("spec", name, "default"),
        ] {
            self.apply(&object).await;
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
        self.apply(&json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels}}))
            .await;
        self.can_have_pods(name, "default").await;
    }

    /// Waits until pods of a service account can be created.
    pub async fn can_have_pods(&self, namespace: &str, account: &str) {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        eventually("the service account exists", SOON, || async {
            let account = accounts.get_opt(account).await.unwrap()?;
            // Servers before 1.24 give it a token, and wait for that.
            (self.plane.at_least(1, 24) || account.secrets.is_some()).then_some(())
        })
        .await;
    }

    /// The object as it is, with everything that the server keeps.
    pub async fn live(&self, object: &Value) -> Option<Value> {
        self.applier().live(object).await.unwrap()
    }
}
