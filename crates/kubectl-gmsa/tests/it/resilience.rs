//! Three replicas behind haproxy, under steady creation of pods: what a rolling restart, a lost
//! replica, a lost Secret, rotations and an edited configuration cost. Processes on this machine
//! stand in for the pods.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::support::load::{Load, WORKERS};
use crate::support::webhook;
use crate::support::world::{SOON, World};
use gmsa_core::names::{NAME, ROTATE_BEFORE, SECRET};
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::{StandIn, Workload};
use gmsa_testkit::tools;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Event, Pod, Secret};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

struct Installed {
    world: Arc<World>,
    stand_in: StandIn,
}

impl Installed {
    async fn new(test: &str) -> Option<Self> {
        let haproxy = tools::haproxy(test)?;
        let world = Arc::new(World::new(test).await?);
        // A machine that does a lot else is slow, and no answer is late.
        let mut workload: Workload = webhook();
        workload.args.push("--deadline=25".to_owned());
        // Certificates are dated to the second, and an API server that has a lot to do learns of a
        // new CA after a moment: what others take for short is too short here.
        workload.args.retain(|arg| !arg.starts_with("--ca-overlap"));
        workload.args.push("--ca-overlap=5".to_owned());
        let stand_in = StandIn::start_behind(&world.plane, workload, Some(haproxy)).await;
        let install = ["install", "--replicas=3", "--timeout-seconds=30", "--wait=300"];
        world.done(&install).await;
        world.namespace("web").await;
        let installed = Self { world, stand_in };
        installed.rolled_out().await;
        eventually("pods are admitted", SOON, || async { installed.world.admit("web").await.ok() })
            .await;
        Some(installed)
    }

    /// Waits until three replicas of the newest template serve, and no other exists.
    async fn rolled_out(&self) {
        let deployments: Api<Deployment> = Api::namespaced(self.world.client.clone(), NAME);
        let pods: Api<Pod> = Api::namespaced(self.world.client.clone(), NAME);
        eventually("three new replicas run, and no old one", SOON, || async {
            let deployment = deployments.get(NAME).await.ok()?;
            let status = deployment.status?;
            let all = [status.replicas, status.updated_replicas, status.available_replicas];
            let current = status.observed_generation == deployment.metadata.generation;
            let listed = pods.list(&ListParams::default()).await.ok()?.items.len();
            let ready = self.stand_in.ready().await.len();
            (current && all == [Some(3); 3] && listed == 3 && ready == 3).then_some(())
        })
        .await;
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.world.client.clone(), NAME)
    }

    /// What the Secret holds; null if there is none.
    async fn secret(&self) -> Value {
        let secret = self.secrets().get_opt(SECRET).await.unwrap();
        serde_json::to_value(secret.and_then(|secret| secret.data)).unwrap()
    }

    async fn becomes(&self, wanted: &Value, when: &str) {
        eventually(when, SOON, || async { (self.secret().await == *wanted).then_some(()) }).await;
    }

    async fn patch_secret(&self, patch: Value) {
        self.secrets().patch(SECRET, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
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

    async fn bundle(&self) -> Value {
        let api: Api<MutatingWebhookConfiguration> = Api::all(self.world.client.clone());
        let configuration = api.get(NAME).await.unwrap();
        let bundle = configuration.webhooks.unwrap()[0].client_config.ca_bundle.clone();
        serde_json::to_value(bundle).unwrap()
    }

    /// Makes the CA and the certificate due, and waits until both are others.
    async fn rotate(&self) {
        let before = self.settled().await;
        // Certificates are dated to the second, and those of this second are meant too.
        let time = Timestamp::now() + SignedDuration::from_secs(1);
        self.patch_secret(json!({"metadata": {"annotations": {ROTATE_BEFORE: time.to_string()}}}))
            .await;
        eventually("all is replaced", SOON, || async {
            let after = self.settled().await;
            let keys = ["ca.crt", "ca.key", "tls.crt", "tls.key"];
            keys.into_iter().all(|key| after[key] != before[key]).then_some(())
        })
        .await;
    }

    async fn events(&self) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.world.client.clone(), NAME);
        let all = events.list(&ListParams::default()).await.unwrap().items;
        let ours = |event: &Event| event.reporting_component.as_deref() == Some("gmsa-webhook");
        all.into_iter().filter(ours).collect()
    }

    /// Waits for an event, and returns its message.
    async fn event(&self, reason: &str) -> String {
        eventually(reason, SOON, || async {
            let events = self.events().await;
            let event = events.into_iter().find(|one| one.reason.as_deref() == Some(reason))?;
            let about = event.involved_object;
            assert_eq!(about.kind.as_deref(), Some("Pod"), "{reason}");
            assert!(about.name.unwrap().starts_with("gmsa-webhook-"), "{reason}");
            assert!(about.uid.is_some(), "{reason}");
            event.message
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_a_lost_replica_and_a_lost_secret_cost_no_creation() {
    let test = "a_rolling_restart_a_lost_replica_and_a_lost_secret_cost_no_creation";
    let Some(installed) = Installed::new(test).await else { return };
    let before = installed.settled().await;
    let load = Load::start(&installed.world.client, "web");
    load.nothing_failed("at the start").await;

    installed.secrets().delete(SECRET, &DeleteParams::default()).await.unwrap();
    installed.becomes(&before, "the deleted Secret is back").await;
    let garbage = json!({"stringData": {"tls.crt": "garbage", "ca.key": "", "ca.crt": "garbage"}});
    installed.patch_secret(garbage).await;
    installed.becomes(&before, "the garbage is replaced").await;
    load.nothing_failed("with a lost Secret").await;
    let message = installed.event("SecretRestored").await;
    assert!(message.contains("Secret gmsa-webhook/gmsa-webhook-certificates"), "{message}");

    // Another image is another template: every replica is replaced.
    let old: BTreeSet<u32> = installed.stand_in.ready().await.into_iter().collect();
    installed.world.done(&["upgrade", "--image=somewhere/gmsa:2", "--wait=300"]).await;
    installed.rolled_out().await;
    let new: BTreeSet<u32> = installed.stand_in.ready().await.into_iter().collect();
    assert!(old.is_disjoint(&new), "{old:?} {new:?}");
    load.nothing_failed("in a rolling restart").await;

    let killed = installed.stand_in.kill_one().await;
    eventually("another process takes its place", SOON, || async {
        let ready = installed.stand_in.ready().await;
        (ready.len() == 3 && !ready.contains(&killed)).then_some(())
    })
    .await;
    load.goes_on().await;
    // Each worker has one request in flight, which that replica may have had.
    let failed = load.failures();
    assert!(failed.len() <= WORKERS, "{failed:#?}");
    load.goes_on().await;
    assert_eq!(load.failures().len(), failed.len(), "it goes on failing");
    load.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_rotate_twice_under_load_and_restore_an_edited_bundle() {
    let test = "three_replicas_rotate_twice_under_load_and_restore_an_edited_bundle";
    let Some(installed) = Installed::new(test).await else { return };
    let load = Load::start(&installed.world.client, "web");
    for _ in 0..2 {
        installed.rotate().await;
        load.nothing_failed("in a rotation").await;
    }
    load.end().await;
    for line in installed.stand_in.log().await {
        assert!(!line.contains("PRIVATE KEY"), "{line}");
    }

    let secret = installed.settled().await;
    let other = gmsa_testkit::pki::Authority::new("other");
    let bundle = ByteString(other.pem().as_bytes().to_vec());
    let api: Api<MutatingWebhookConfiguration> = Api::all(installed.world.client.clone());
    let name = "mutate.gmsa-webhook.kube-gmsa.dev";
    let patch = json!({"webhooks": [{"name": name, "clientConfig": {"caBundle": bundle}}]});
    api.patch(NAME, &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
    eventually("the bundle is restored", SOON, || async {
        (installed.bundle().await == secret["ca.crt"]).then_some(())
    })
    .await;
    eventually("pods are admitted", SOON, || async { installed.world.admit("web").await.ok() })
        .await;

    // Events report all of it.
    for (reason, words) in [
        ("CertificateIssued", "made a CA and a serving certificate"),
        ("CaBundleWritten", "WebhookConfiguration gmsa-webhook, which had none"),
        ("CaIntroduced", "trusted from now on"),
        ("CaSwitched", "of the new CA"),
        ("CaForgotten", "trusted no longer"),
        ("CaBundleReplaced", "which had another"),
    ] {
        let message = installed.event(reason).await;
        assert!(message.contains(words), "{reason}: {message}");
    }
}
