//! What a client, and the owner of a workload, see of each denial.

use std::path::PathBuf;

use gmsa_testkit::api_proxy::ApiProxy;
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::objects::gmsa;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::shared;
use gmsa_testkit::tcp_proxy::TcpProxy;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::json;

use crate::support::other_webhook;
use crate::support::table::{
    Case, cases, creations_are_denied, ephemeral_containers_are_denied, replica_sets_are_denied,
};
use crate::support::{SOON, World, canonical, contents_at, engines, world, world_behind};

engines!(
    each_denial_is_seen_by_the_client_and_nothing_is_created,
    each_denial_shows_at_the_replica_set,
    a_name_that_another_webhook_adds_must_be_there_before_the_mutating_step,
);

async fn each_denial_is_seen_by_the_client_and_nothing_is_created(world: World) {
    let cases = cases(&world, true).await;
    creations_are_denied(&world, &cases).await;
    ephemeral_containers_are_denied(&world, &cases).await;
}

async fn each_denial_shows_at_the_replica_set(world: World) {
    replica_sets_are_denied(&world, &cases(&world, true).await).await;
}

/// The mutating webhook no longer sees the world's namespace; the validating one does.
async fn without_the_mutating_step(world: &World) {
    let label = world.label().await;
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(world.cluster.client.clone());
    configurations.delete(&format!("mutate.{label}"), &DeleteParams::default()).await.unwrap();
    let invalid = world.pod(&gmsa(Some("Invalid"), None));
    eventually("the mutating webhook is not asked", SOON, || async {
        let (_, message) = world.try_create(&invalid).await.unwrap_err();
        (!message.contains("mutate.gmsa.test")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_name_that_was_not_expanded_is_denied_with_the_reason() {
    let Some(world) = world("a_name_that_was_not_expanded_is_denied_with_the_reason").await else {
        return;
    };
    let spec = world.credential_spec("default").await;
    without_the_mutating_step(&world).await;
    let words = format!(
        "GMSA cred spec \"{spec}\" was not expanded: the mutating webhook did not see this pod"
    );
    let cases = [Case::new(gmsa(Some(&spec), None), 422, words)];
    creations_are_denied(&world, &cases).await;
    replica_sets_are_denied(&world, &cases).await;
    // A pod that comes with contents needs no mutating step.
    world.create(&world.pod(&gmsa(Some(&spec), Some(&canonical("WebApp1"))))).await;
}

/// Another webhook, which gives every pod a GMSA.
async fn naming_webhook(authority: &Authority, spec: &str) -> u16 {
    let change = json!([
        {"op": "add", "path": "/spec/securityContext", "value": gmsa(Some(spec), None)}]);
    let change = serde_json::to_value(ByteString(change.to_string().into_bytes())).unwrap();
    other_webhook(authority, move |review| {
        json!({"apiVersion": review["apiVersion"], "kind": review["kind"],
            "response": {"uid": review["request"]["uid"], "allowed": true,
                "patchType": "JSONPatch", "patch": change}})
        .to_string()
    })
    .await
}

async fn a_name_that_another_webhook_adds_must_be_there_before_the_mutating_step(world: World) {
    let spec = world.credential_spec("default").await;
    let port = naming_webhook(&world.authority, &spec).await;
    let ours = match &world.policies {
        None => json!({"gmsa-testkit/webhook": world.label().await}),
        Some(_) => json!({"kubernetes.io/metadata.name": world.namespace}),
    };
    let label = world.cluster.unique("other");
    let ca = serde_json::to_value(ByteString(world.authority.pem().as_bytes().to_vec())).unwrap();
    let configuration = |name: String| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration", "metadata": {"name": name},
            "webhooks": [{"name": "names.gmsa.test", "admissionReviewVersions": ["v1"],
                "sideEffects": "None", "failurePolicy": "Fail",
                "namespaceSelector": {"matchLabels": ours},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": ["pods"]}],
                "clientConfig": {"url": format!("https://localhost:{port}/"), "caBundle": ca}}]})
    };
    // Configurations are asked in the order of their names; ours is `mutate.…`.
    let late = configuration(format!("names.{label}"));
    world.cluster.apply(&late).await;
    let plain = || world.pod(&json!({}));
    let (code, message) = eventually("the other webhook is asked", SOON, || async {
        world.try_create(&plain()).await.err()
    })
    .await;
    assert_eq!(code, 422, "{message}");
    let words = format!("GMSA cred spec \"{spec}\" was not expanded: ");
    let cause = match &world.policies {
        None => {
            "the mutating webhook did not see this pod (it was away with failurePolicy Ignore, or the \
             name was added after it ran)"
        }
        Some(_) => "the policy gmsa-engine-expand did not see this pod",
    };
    assert!(message.contains(&format!("{words}{cause}")), "{message}");
    if world.policies.is_some() {
        // Every webhook comes after the policies, and they are not asked again.
        let configurations: Api<MutatingWebhookConfiguration> =
            Api::all(world.cluster.client.clone());
        configurations.delete(&format!("names.{label}"), &DeleteParams::default()).await.unwrap();
        return;
    }

    let configurations: Api<MutatingWebhookConfiguration> = Api::all(world.cluster.client.clone());
    configurations.delete(&format!("names.{label}"), &DeleteParams::default()).await.unwrap();
    world.cluster.apply(&configuration(format!("earlier.{label}"))).await;
    let stored = eventually("the name comes first", SOON, || async {
        let stored = world.try_create(&plain()).await.ok()?;
        contents_at(&stored, "/spec").is_some().then_some(stored)
    })
    .await;
    assert_eq!(contents_at(&stored, "/spec"), Some(canonical("WebApp1").as_str()));
}

/// A proxy that changes the status of every access review, once the returned file says how.
async fn lying(cluster: &Cluster) -> (ApiProxy, PathBuf) {
    let proxy = ApiProxy::start(cluster.client.clone()).await;
    let kubeconfig = cluster.files().join("lying");
    proxy.write_kubeconfig(&kubeconfig);
    (proxy, kubeconfig)
}

#[tokio::test]
async fn an_access_review_with_an_error_or_a_denial_is_seen_by_the_client() {
    let name = "an_access_review_with_an_error_or_a_denial_is_seen_by_the_client";
    let Some(cluster) = shared::cluster(name).await else { return };
    let (proxy, kubeconfig) = lying(&cluster).await;
    let world = world_behind(cluster, &kubeconfig, &["--remember=0"]).await;
    let spec = world.credential_spec("default").await;
    let unknown =
        format!("cannot decide on GMSA cred spec \"{spec}\": failed to review the access");
    for (status, code, words) in [
        (json!({"evaluationError": "role \"x\" not found"}), 500, "role \"x\" not found"),
        (json!({"evaluationError": "role \"x\" not found"}), 500, unknown.as_str()),
        (json!({"denied": true}), 403, "service account \"default\" is not authorized to `use`"),
    ] {
        proxy.change(move |path, answer| {
            if path.ends_with("/localsubjectaccessreviews") {
                assert_eq!(answer["status"]["allowed"], json!(true), "{answer}");
                for (key, value) in status.as_object().unwrap() {
                    answer["status"][key] = value.clone();
                }
            }
        });
        let cases = [Case::new(gmsa(Some(&spec), None), code, words)];
        creations_are_denied(&world, &cases).await;
        ephemeral_containers_are_denied(&world, &cases).await;
        replica_sets_are_denied(&world, &cases).await;
    }
    proxy.change(|_, _| ());
    world.create(&world.pod(&gmsa(Some(&spec), None))).await;
}

#[tokio::test]
async fn an_api_server_that_cannot_be_asked_is_seen_by_the_client() {
    let name = "an_api_server_that_cannot_be_asked_is_seen_by_the_client";
    let Some(cluster) = shared::cluster(name).await else { return };
    let proxy = TcpProxy::start(cluster.addr()).await;
    let kubeconfig = cluster.proxy_kubeconfig(proxy.address);
    let world = world_behind(cluster, &kubeconfig, &["--remember=0", "--deadline=1"]).await;
    let spec = world.credential_spec("default").await;
    let pod = || world.pod(&gmsa(Some(&spec), None));
    eventually("admitted", SOON, || async { world.try_create(&pod()).await.ok() }).await;
    delete_pods(&world).await;

    proxy.stall();
    let cases = [Case::new(gmsa(Some(&spec), None), 504, "the API server did not answer in time")];
    creations_are_denied(&world, &cases).await;
    ephemeral_containers_are_denied(&world, &cases).await;
    replica_sets_are_denied(&world, &cases).await;

    proxy.cut();
    let words = format!("cannot decide on GMSA cred spec \"{spec}\": failed to review the access");
    let cases = [Case::new(gmsa(Some(&spec), None), 500, words)];
    creations_are_denied(&world, &cases).await;
    ephemeral_containers_are_denied(&world, &cases).await;
    replica_sets_are_denied(&world, &cases).await;

    proxy.resume();
    eventually("admitted again", SOON, || async { world.try_create(&pod()).await.ok() }).await;
}

/// Removes the pods that a test has made, at once: no kubelet does.
async fn delete_pods(world: &World) {
    let now = DeleteParams::default().grace_period(0);
    world.pods().delete_collection(&now, &ListParams::default()).await.unwrap();
}
