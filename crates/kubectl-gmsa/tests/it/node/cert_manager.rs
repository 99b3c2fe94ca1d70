//! cert-manager itself: its controller, its injector and its webhook, installed by its own manifests. The
//! variable `CERT_MANAGER` names a directory with these programs and its `cert-manager.yaml`.

use std::path::PathBuf;

use gmsa_cluster::manifests::{Input, read};
use gmsa_core::names::{CERT_MANAGER_CA, NAME, SECRET};
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools::skip_in_ci_too;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::{Cluster, install};
use crate::support::load::{Load, admit};
use crate::support::world::SOON;

const SPACE: &str = "cert-manager";
const SOURCE: &str = "--certificates=cert-manager";
/// Its Deployments and the names of their programs.
const PARTS: [(&str, &str); 3] = [
    ("cert-manager", "controller"),
    ("cert-manager-cainjector", "cainjector"),
    ("cert-manager-webhook", "webhook"),
];

/// What is not built here: without it the test is skipped, in CI too.
fn files(test: &str) -> Option<PathBuf> {
    let files = std::env::var_os("CERT_MANAGER").filter(|path| !path.is_empty());
    if files.is_none() {
        skip_in_ci_too(test, "CERT_MANAGER does not name a directory with cert-manager's programs");
    }
    files.map(PathBuf::from)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_cert_manager_are_issued_injected_renewed_and_replaced() {
    let test = "certificates_of_cert_manager_are_issued_injected_renewed_and_replaced";
    let Some(files) = files(test) else { return };
    let Some(cluster) = Cluster::new(test).await else { return };
    if !cluster.node.at_least(1, 22) {
        skip_in_ci_too(test, "cert-manager takes Kubernetes 1.22 or newer");
        return;
    }
    cluster.without_installation().await;
    let manifests = cluster.cert_manager(files).await;
    cluster.installed(&[SOURCE]).await;
    cluster.namespace("issued").await;
    cluster.trusts_the_issuer().await;
    assert_eq!(cluster.run(&["status"]).await.code, 0);
    let load = Load::start(&cluster.node.client, "issued");
    load.nothing_failed("with certificates of cert-manager").await;

    cluster.renew(NAME, SECRET).await;
    cluster.serves_the_certificate().await;
    load.nothing_failed("when the certificate was renewed").await;
    // It keeps its key.
    cluster.renew(CERT_MANAGER_CA, CERT_MANAGER_CA).await;
    cluster.trusts_the_issuer().await;
    load.nothing_failed("when the CA was renewed").await;
    cluster.renew(NAME, SECRET).await;
    cluster.serves_the_certificate().await;
    load.nothing_failed("when the renewed CA had issued").await;
    eprintln!("{} pods while certificates were renewed", load.count());
    load.end().await;

    // Another key, as docs/operations.md says.
    let before = cluster.part(CERT_MANAGER_CA, "tls.crt").await;
    for name in [CERT_MANAGER_CA, SECRET] {
        cluster.secrets().delete(name, &DeleteParams::default()).await.unwrap();
    }
    eventually("another CA has issued", SOON, || async {
        let ca = cluster.part(CERT_MANAGER_CA, "tls.crt").await;
        let issued = cluster.part(SECRET, "ca.crt").await;
        (!ca.is_null() && ca != before && issued == ca).then_some(())
    })
    .await;
    cluster.trusts_the_issuer().await;
    cluster.serves_the_certificate().await;
    eventually("pods are admitted", SOON, || async {
        admit(&cluster.node.client, "issued").await.ok()
    })
    .await;

    // To the server's own, and back, both from an issued certificate and from one that cert-manager has
    // issued before.
    let load = Load::start(&cluster.node.client, "issued");
    for turn in ["first", "second"] {
        cluster.installed(&["--certificates=self"]).await;
        load.nothing_failed(&format!("towards the server's own, the {turn} time")).await;
        assert_eq!(cluster.run(&["status"]).await.code, 0);
        assert!(cluster.secrets().get_opt(CERT_MANAGER_CA).await.unwrap().is_none());
        cluster.installed(&[SOURCE]).await;
        cluster.trusts_the_issuer().await;
        cluster.serves_the_certificate().await;
        load.nothing_failed(&format!("towards cert-manager, the {turn} time")).await;
    }
    eprintln!("{} pods while the source was changed four times", load.count());
    load.end().await;

    cluster.without_installation().await;
    cluster.remove_namespace("issued").await;
    let applier = gmsa_cluster::api::apply::Applier::new(cluster.node.client.clone(), "test", true);
    for object in manifests.iter().rev() {
        applier.delete(object).await.unwrap();
    }
}

impl Cluster {
    /// Installs cert-manager, and waits until it can be asked. What was applied.
    async fn cert_manager(&self, files: PathBuf) -> Vec<Value> {
        for (_, program) in PARTS {
            self.import_program(&files.join(program), &image(program));
        }
        let documents = read(&[Input::Path(files.join("cert-manager.yaml"))]).unwrap().documents;
        let mut objects: Vec<Value> =
            documents.into_iter().map(|one| (*one.value).clone()).collect();
        for object in &mut objects {
            let name = object["metadata"]["name"].clone();
            let part = PARTS.into_iter().find(|(deployment, _)| name == *deployment);
            if let (Some("Deployment"), Some((_, program))) = (object["kind"].as_str(), part) {
                let pod = &mut object["spec"]["template"]["spec"];
                pod["containers"][0]["image"] = json!(image(program));
                // The image made here names no user.
                pod["securityContext"]["runAsUser"] = json!(1000);
            }
            self.apply(object).await;
        }
        for (name, _) in PARTS {
            let deployments: Api<Deployment> = Api::namespaced(self.node.client.clone(), SPACE);
            eventually("cert-manager is available", SOON, || async {
                deployments.get(name).await.ok()?.status?.available_replicas
            })
            .await;
        }
        // Its injector has yet to let the API server trust its webhook.
        let dry = [&install(&[SOURCE])[..], &["--dry-run=server"]].concat();
        eventually("cert-manager can be asked", SOON, || async {
            (self.run(&dry).await.code == 0).then_some(())
        })
        .await;
        objects
    }

    /// Waits until API servers are to trust the CA of cert-manager alone.
    async fn trusts_the_issuer(&self) {
        eventually("the CA is injected", SOON, || async {
            let ca = self.part(CERT_MANAGER_CA, "tls.crt").await;
            (!ca.is_null() && self.bundle().await == ca).then_some(())
        })
        .await;
    }

    /// Has cert-manager issue a Certificate again, as its own command `renew` does, and waits for that.
    async fn renew(&self, certificate: &str, secret: &str) {
        let before = self.part(secret, "tls.crt").await;
        // Certificates are dated to the second.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let kind = ApiResource {
            group: "cert-manager.io".to_owned(),
            version: "v1".to_owned(),
            api_version: "cert-manager.io/v1".to_owned(),
            kind: "Certificate".to_owned(),
            plural: "certificates".to_owned(),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(self.node.client.clone(), NAME, &kind);
        let mut conditions =
            api.get(certificate).await.unwrap().data["status"]["conditions"].take();
        conditions.as_array_mut().unwrap().push(json!({
            "type": "Issuing", "status": "True", "reason": "ManuallyTriggered",
            "message": "asked for by a test", "lastTransitionTime": Timestamp::now().to_string(),
        }));
        let patch = Patch::Merge(json!({"status": {"conditions": conditions}}));
        api.patch_status(certificate, &PatchParams::default(), &patch).await.unwrap();
        eventually("another certificate is issued", SOON, || async {
            let after = self.part(secret, "tls.crt").await;
            (!after.is_null() && after != before).then_some(())
        })
        .await;
    }
}

fn image(program: &str) -> String {
    format!("kube-gmsa.test/cert-manager-{program}:1")
}
