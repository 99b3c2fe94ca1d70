//! The webhook of windows-gmsa itself, installed by its own manifests, and `install --adopt` under steady
//! creation of pods. The variable `PEER_WEBHOOK` names its program.

use std::path::{Path, PathBuf};

use gmsa_cluster::installation::IMAGE;
use gmsa_core::names::{NAME, TAKEOVER};
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools::{self, skip_in_ci_too};
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use serde_json::{Value, json};

use super::Cluster;
use crate::support::helm::run;
use crate::support::load::{Load, admit};
use crate::support::windows_gmsa::{by_chart, by_script, certificate, chart, definition};
use crate::support::world::SOON;

const PEER_IMAGE: &str = "kube-gmsa.test/peer:1";

/// The program of windows-gmsa, which is not built here: without it the test is skipped, in CI too.
fn peer(test: &str) -> Option<PathBuf> {
    let program = std::env::var_os("PEER_WEBHOOK").filter(|path| !path.is_empty());
    if program.is_none() {
        skip_in_ci_too(test, "PEER_WEBHOOK does not name the program of windows-gmsa");
    }
    program.map(PathBuf::from)
}

impl Cluster {
    /// A cluster without an installation, with the image of windows-gmsa, and two namespaces: the default
    /// account of the first may use the credential spec.
    async fn before_takeover(&self, program: &Path) {
        self.without_installation().await;
        self.import_program(program, PEER_IMAGE);
        self.apply(&definition()).await;
        let applier =
            gmsa_cluster::api::apply::Applier::new(self.node.client.clone(), "test", true);
        let spec = gmsa_testkit::objects::credential_spec("spec", "WebApp1");
        eventually("the definition is served", SOON, || async { applier.apply(&spec).await.ok() })
            .await;
        self.namespace("taken").await;
        self.namespace("other").await;
        let binding = gmsa_testkit::objects::binding("spec", "other", "default");
        applier.delete(&binding).await.unwrap();
    }

    /// Waits until the old webhook runs.
    async fn available(&self, namespace: &str, name: &str) {
        let deployments: Api<Deployment> = Api::namespaced(self.node.client.clone(), namespace);
        eventually("the old webhook is available", SOON, || async {
            deployments.get(name).await.ok()?.status?.available_replicas
        })
        .await;
    }

    /// Takes over while pods are created, and looks at what is left.
    async fn take_over(&self, namespace: &str, name: &str) {
        eventually("the old webhook answers", SOON, || async {
            admit(&self.node.client, "taken").await.ok()
        })
        .await;
        let allowed = Load::start(&self.node.client, "taken");
        let denied = Load::denied(&self.node.client, "other");
        for load in [&allowed, &denied] {
            load.nothing_failed("before the takeover").await;
        }
        let args =
            ["install", "--adopt", "--accept-denials", "--yes", "--settle=3", "--image", IMAGE];
        let said = self.done(&args).await;
        self.rolled_out().await;
        for load in [&allowed, &denied] {
            load.nothing_failed("in the takeover").await;
        }
        allowed.end().await;
        denied.end().await;
        assert!(said.contains(&format!("deployment/{name} deleted")), "{said}");
        let deployments: Api<Deployment> = Api::namespaced(self.node.client.clone(), namespace);
        let left = deployments.get_opt(name).await.unwrap();
        let image = |deployment: Deployment| {
            deployment.spec.template.spec.unwrap().containers[0].image.clone()
        };
        assert!(left.is_none_or(|left| image(left).as_deref() == Some(IMAGE)));
        let namespaces: Api<Namespace> = Api::all(self.node.client.clone());
        eventually("the temporary namespace is gone", SOON, || async {
            namespaces.get_opt(TAKEOVER).await.unwrap().is_none().then_some(())
        })
        .await;
        let ran = self.run(&["status"]).await;
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        for one in ["taken", "other"] {
            self.remove_namespace(one).await;
        }
    }
}

/// What our objects of its script and its chart leave out because processes stood for pods.
fn complete(objects: &mut [Value], files: &Path) {
    let file = |name: &str| {
        serde_json::to_value(ByteString(std::fs::read(files.join(name)).unwrap())).unwrap()
    };
    for object in objects {
        match object["kind"].as_str() {
            Some("Secret") => {
                object["data"] =
                    json!({"tls_private_key": file("old.key"), "tls_certificate": file("old.crt")});
            }
            Some("Deployment") => {
                let container = &mut object["spec"]["template"]["spec"]["containers"][0];
                container["image"] = json!(PEER_IMAGE);
                container["imagePullPolicy"] = json!("IfNotPresent");
                container["readinessProbe"] =
                    json!({"httpGet": {"scheme": "HTTPS", "path": "/health", "port": 443}});
                container["volumeMounts"] =
                    json!([{"name": "tls", "mountPath": "/tls", "readOnly": true}]);
                let env = container["env"].as_array_mut().unwrap();
                for (name, path) in [("TLS_KEY", "/tls/key"), ("TLS_CRT", "/tls/crt")] {
                    if !env.iter().any(|one| one["name"] == name) {
                        env.push(json!({"name": name, "value": path}));
                    }
                }
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_webhook_of_windows_gmsa_is_taken_over_from_its_script() {
    let test = "the_webhook_of_windows_gmsa_is_taken_over_from_its_script";
    let Some(program) = peer(test) else { return };
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.before_takeover(&program).await;
    let (files, bundle) = certificate(NAME, NAME);
    let (mut objects, configurations) = by_script(&bundle);
    complete(&mut objects, files.path());
    for object in &objects {
        cluster.apply(object).await;
    }
    cluster.available(NAME, NAME).await;
    for object in &configurations {
        cluster.apply(object).await;
    }
    cluster.take_over(NAME, NAME).await;
    cluster.without_installation().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_webhook_of_windows_gmsa_is_taken_over_from_a_release() {
    let test = "the_webhook_of_windows_gmsa_is_taken_over_from_a_release";
    let (namespace, release) = ("windows-gmsa", "gmsa");
    let Some(program) = peer(test) else { return };
    let Some(helm) = tools::find(test, "helm") else { return };
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.before_takeover(&program).await;
    // Newer servers make this label themselves.
    cluster
        .apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata":
            {"name": namespace, "labels": {"kubernetes.io/metadata.name": namespace}}}))
        .await;
    let (files, bundle) = certificate(namespace, release);
    let file = |name: &str| ByteString(std::fs::read(files.path().join(name)).unwrap());
    cluster
        .apply(&json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "gmsa-server-cert", "namespace": namespace},
            "data": {"tls.key": file("old.key"), "tls.crt": file("old.crt")}}))
        .await;
    let mut objects = by_chart(namespace, release, &bundle);
    complete(&mut objects, files.path());
    // The configurations come when the server runs.
    let configurations = objects.split_off(objects.len() - 2);
    for (command, objects) in
        [("install", objects.clone()), ("upgrade", [objects, configurations].concat())]
    {
        let chart = chart("gmsa", &objects);
        let kubeconfig = format!("--kubeconfig={}", cluster.node.kubeconfig.display());
        let path = chart.path().to_str().unwrap();
        run(&helm, &[command, release, path, "-n", namespace, &kubeconfig]).unwrap();
        cluster.available(namespace, release).await;
    }
    cluster.take_over(namespace, release).await;
    cluster.remove_namespace(namespace).await;
    cluster.without_installation().await;
}
