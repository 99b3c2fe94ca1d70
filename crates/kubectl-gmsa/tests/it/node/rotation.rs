//! Three replicas under steady creation of pods: their CA and certificate are replaced, and what a user
//! damaged is restored.

use gmsa_core::names::{NAME, ROTATE_BEFORE, SECRET};
use gmsa_testkit::process::eventually;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use kube::api::{Api, LogParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::Cluster;
use crate::support::load::{Load, admit};
use crate::support::world::SOON;

const TEST: &str = "certificate_and_authority_are_replaced_under_load_and_damage_is_repaired";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_and_authority_are_replaced_under_load_and_damage_is_repaired() {
    let Some(cluster) = Cluster::new(TEST).await else { return };
    // So that events, logs and certificates are of this test.
    cluster.without_installation().await;
    cluster.installed(&["--replicas=3"]).await;
    cluster.with_short_overlap().await;
    cluster.namespace("rotation").await;
    let load = Load::start(&cluster.node.client, "rotation");
    for _ in 0..2 {
        cluster.rotate().await;
        load.nothing_failed("in a rotation").await;
    }

    let secret = cluster.settled().await;
    let garbage = json!({"stringData": {"tls.crt": "garbage", "ca.key": "", "ca.crt": "garbage"}});
    cluster.patch_secret(&garbage).await;
    eventually("the garbage is replaced", SOON, || async {
        (cluster.secret().await == secret).then_some(())
    })
    .await;
    load.nothing_failed("with a damaged Secret").await;
    load.end().await;

    let other = gmsa_testkit::pki::Authority::new("other");
    let bundle = ByteString(other.pem().as_bytes().to_vec());
    let api: Api<MutatingWebhookConfiguration> = Api::all(cluster.node.client.clone());
    let name = "mutate.gmsa-webhook.kube-gmsa.dev";
    let patch = json!({"webhooks": [{"name": name, "clientConfig": {"caBundle": bundle}}]});
    api.patch(NAME, &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
    eventually("the bundle is restored", SOON, || async {
        (cluster.bundle().await == secret["ca.crt"]).then_some(())
    })
    .await;
    eventually("pods are admitted", SOON, || async {
        admit(&cluster.node.client, "rotation").await.ok()
    })
    .await;

    for (reason, words) in [
        ("CertificateIssued", "made a CA and a serving certificate"),
        ("CaBundleWritten", "WebhookConfiguration gmsa-webhook, which had none"),
        ("CaIntroduced", "trusted from now on"),
        ("CaSwitched", "of the new CA"),
        ("CaForgotten", "trusted no longer"),
        ("SecretRestored", "Secret gmsa-webhook/gmsa-webhook-certificates"),
        ("CaBundleReplaced", "which had another"),
    ] {
        let message = eventually(reason, SOON, || async {
            let event = cluster.events(reason).await.pop()?;
            let about = &event.involved_object;
            assert_eq!(about.kind.as_deref(), Some("Pod"), "{reason}");
            assert!(about.name.as_ref()?.starts_with("gmsa-webhook-"), "{reason}");
            assert!(about.uid.is_some(), "{reason}");
            event.message
        })
        .await;
        assert!(message.contains(words), "{reason}: {message}");
    }
    let pods: Api<Pod> = Api::namespaced(cluster.node.client.clone(), NAME);
    for pod in cluster.pods().await {
        let log = pods.logs(&pod.name_any(), &LogParams::default()).await.unwrap();
        assert!(log.contains("\"listening\""), "{log}");
        assert!(!log.contains("PRIVATE KEY"), "{log}");
    }
    cluster.remove_namespace("rotation").await;
}

impl Cluster {
    /// Has a new CA issue certificates after seconds instead of minutes. Certificates are dated to the
    /// second, and an API server that has a lot to do learns of a new CA after a moment.
    async fn with_short_overlap(&self) {
        let deployments: Api<Deployment> = Api::namespaced(self.node.client.clone(), NAME);
        let template = deployments.get(NAME).await.unwrap().spec.template;
        let mut container = template.spec.unwrap().containers.remove(0);
        container.args.get_or_insert_default().push("--ca-overlap=5".to_owned());
        let patch = json!({"spec": {"template": {"spec": {"containers": [
            {"name": container.name, "args": container.args}]}}}});
        let patch = Patch::Strategic(patch);
        deployments.patch(NAME, &PatchParams::default(), &patch).await.unwrap();
        self.rolled_out().await;
    }

    /// What the Secret holds; null if there is none.
    async fn secret(&self) -> Value {
        let secret = self.secrets().get_opt(SECRET).await.unwrap();
        serde_json::to_value(secret.and_then(|secret| secret.data)).unwrap()
    }

    /// Waits until one CA is in use and both configurations trust it, and returns the Secret.
    async fn settled(&self) -> Value {
        eventually("no rotation is under way", SOON, || async {
            let secret = self.secret().await;
            let one = secret["next-ca.crt"].is_null() && secret["previous-ca.crt"].is_null();
            let trusted = self.bundle().await == secret["ca.crt"];
            (one && trusted && !secret["ca.crt"].is_null()).then_some(secret)
        })
        .await
    }

    /// Makes the CA and the certificate due, and waits until both are others.
    async fn rotate(&self) {
        let before = self.settled().await;
        // Certificates are dated to the second, and those of this second are meant too.
        let time = Timestamp::now() + SignedDuration::from_secs(1);
        self.patch_secret(&json!({"metadata": {"annotations": {ROTATE_BEFORE: time.to_string()}}}))
            .await;
        eventually("all is replaced", SOON, || async {
            let after = self.settled().await;
            let keys = ["ca.crt", "ca.key", "tls.crt", "tls.key"];
            keys.into_iter().all(|key| after[key] != before[key]).then_some(())
        })
        .await;
    }
}
