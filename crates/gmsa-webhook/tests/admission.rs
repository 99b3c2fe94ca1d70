//! Pods that use a GMSA, created through a real API server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod support;

use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use support::{SOON, canonical, checks, contents_at, world};

#[tokio::test]
async fn the_pods_of_a_deployment_carry_the_contents_at_every_place() {
    let Some(world) = world("the_pods_of_a_deployment_carry_the_contents_at_every_place").await
    else {
        return;
    };
    checks::every_place_carries_its_contents(&world).await;
}

#[tokio::test]
async fn a_container_alone_can_use_a_gmsa_and_other_pods_are_left_alone() {
    let Some(world) = world("a_container_alone_can_use_a_gmsa_and_other_pods_are_left_alone").await
    else {
        return;
    };
    let spec = world.credential_spec("default").await;
    let mut pod = world.pod(&json!({}));
    let plain = world.create(&pod).await;
    assert!(!plain.to_string().contains("gmsaCredentialSpec"));
    pod["metadata"]["name"] = json!("container");
    pod["spec"]["containers"][0]["securityContext"] = gmsa(Some(&spec), None);
    let stored = world.create(&pod).await;
    assert_eq!(contents_at(&stored, "/spec/containers/0"), Some(canonical("WebApp1").as_str()));
    assert_eq!(contents_at(&stored, "/spec"), None);
}

#[tokio::test]
async fn preset_contents_that_are_equal_as_json_are_left_as_they_are() {
    let Some(world) = world("preset_contents_that_are_equal_as_json_are_left_as_they_are").await
    else {
        return;
    };
    checks::preset_contents_stay(&world).await;
}

#[tokio::test]
async fn ephemeral_containers_are_judged_like_all_others() {
    let Some(world) = world("ephemeral_containers_are_judged_like_all_others").await else {
        return;
    };
    let spec = world.credential_spec("default").await;
    let other = world.cluster.unique("other");
    world.cluster.apply(&objects::credential_spec(&other, "Other")).await;
    let pod = world.create(&world.pod(&json!({}))).await;
    let with = |context: Value| {
        let mut new = pod.clone();
        new["spec"]["ephemeralContainers"] = json!([{"name": "debug", "image": "i",
            "terminationMessagePolicy": "File", "imagePullPolicy": "Always",
            "securityContext": context}]);
        if context.is_null() {
            let container = &mut new["spec"]["ephemeralContainers"][0];
            container.as_object_mut().unwrap().remove("securityContext");
        }
        new
    };
    let inline = canonical("Other");
    if world.cluster.at_least(1, 23) {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let add = async |context: Value| {
            let patch = json!({"spec": {"ephemeralContainers": with(context)["spec"]["ephemeralContainers"]}});
            let patch = Patch::Strategic(patch);
            world
                .pods()
                .patch_subresource("ephemeralcontainers", name, &PatchParams::default(), &patch)
                .await
        };
        for context in [gmsa(Some(&other), None), gmsa(Some(&other), Some(&inline))] {
            let error = add(context).await.unwrap_err().to_string();
            assert!(error.contains("ephemeral container \"debug\""), "{error}");
            assert!(error.contains("not authorized"), "{error}");
        }
        let stored: Pod = add(gmsa(Some(&spec), None)).await.unwrap();
        let stored = serde_json::to_value(stored).unwrap();
        assert_eq!(
            contents_at(&stored, "/spec/ephemeralContainers/0"),
            Some(canonical("WebApp1").as_str())
        );
        return;
    }
    // This server adds them by another object, which is refused with a GMSA; what newer servers
    // send is judged over HTTPS.
    let https = gmsa_testkit::https::Https::new(world.server.https, world.authority.pem());
    let review = |context: Value| objects::ephemeral_review(&world.namespace, &pod, &with(context));
    for context in [gmsa(Some(&other), None), gmsa(Some(&other), Some(&inline))] {
        let response = https.review("/validate", &review(context)).await;
        assert_eq!(response["status"]["code"], json!(403), "{response}");
        let message = response["status"]["message"].as_str().unwrap();
        assert!(message.contains("ephemeral container \"debug\""), "{message}");
    }
    let mutation = https.review("/mutate", &review(gmsa(Some(&spec), None))).await;
    assert_eq!(mutation["allowed"], json!(true));
    assert!(mutation["patch"].is_string());
    let full = review(gmsa(Some(&spec), Some(&canonical("WebApp1"))));
    assert_eq!(https.review("/validate", &full).await["allowed"], json!(true));

    let old_kind = async |context: Value| {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let body = json!({"apiVersion": "v1", "kind": "EphemeralContainers",
            "metadata": {"name": name},
            "ephemeralContainers": with(context)["spec"]["ephemeralContainers"]});
        let path =
            format!("/api/v1/namespaces/{}/pods/{name}/ephemeralcontainers", world.namespace);
        let request = http::Request::put(path)
            .header("content-type", "application/json")
            .body(body.to_string().into_bytes())
            .unwrap();
        world.cluster.client.request::<Value>(request).await
    };
    let error = old_kind(gmsa(Some(&spec), None)).await.unwrap_err().to_string();
    assert!(error.contains("1.22 or newer"), "{error}");
    old_kind(Value::Null).await.unwrap();
}

#[tokio::test]
async fn an_edited_credential_spec_is_used_by_the_next_pod() {
    let Some(world) = world("an_edited_credential_spec_is_used_by_the_next_pod").await else {
        return;
    };
    let spec = world.credential_spec("default").await;
    world.create(&world.pod(&gmsa(Some(&spec), None))).await;
    for round in 0..10 {
        let account = format!("Round{round}");
        world.cluster.apply(&objects::credential_spec(&spec, &account)).await;
        // The store may lag behind by a moment; what is admitted is whole all the same.
        eventually("the new contents", SOON, || async {
            let stored = world.try_create(&world.pod(&gmsa(Some(&spec), None))).await.ok()?;
            (contents_at(&stored, "/spec") == Some(canonical(&account).as_str())).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_credential_spec_and_its_pod_are_admitted_at_the_first_try_by_two_replicas() {
    let Some(world) =
        world("a_credential_spec_and_its_pod_are_admitted_at_the_first_try_by_two_replicas").await
    else {
        return;
    };
    let second =
        support::server(&world.cluster, &world.authority, &world.cluster.kubeconfig, &[]).await;
    checks::two_replicas_take_turns(&world, &second).await;
}
