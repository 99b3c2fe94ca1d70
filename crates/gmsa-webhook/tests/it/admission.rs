//! Pods that use a GMSA, created through a real API server.

use gmsa_testkit::https::Https;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::support::{SOON, World, canonical, checks, contents_at, engines, world};

engines!(
    the_pods_of_a_deployment_carry_the_contents_at_every_place,
    a_container_alone_can_use_a_gmsa_and_other_pods_are_left_alone,
    preset_contents_that_are_equal_as_json_are_left_as_they_are,
    the_client_is_warned_of_what_is_questionable,
    ephemeral_containers_are_judged_like_all_others,
    an_edited_credential_spec_is_used_by_the_next_pod,
);

async fn the_pods_of_a_deployment_carry_the_contents_at_every_place(world: World) {
    checks::every_place_carries_its_contents(&world).await;
}

async fn a_container_alone_can_use_a_gmsa_and_other_pods_are_left_alone(world: World) {
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

async fn preset_contents_that_are_equal_as_json_are_left_as_they_are(world: World) {
    checks::preset_contents_stay(&world).await;
}

/// What the client is warned of when it creates a pod, and what happens to the pod.
async fn warned(world: &World, pod: &Value) -> (http::StatusCode, Vec<String>) {
    world.settled().await;
    let path = format!("/api/v1/namespaces/{}/pods", world.namespace);
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(kube::client::Body::from(pod.to_string().into_bytes()))
        .unwrap();
    let answer = world.cluster.client.send(request).await.unwrap();
    let warnings = answer.headers().get_all("warning").iter();
    let warnings = warnings.map(|one| one.to_str().unwrap().to_owned()).collect();
    (answer.status(), warnings)
}

async fn the_client_is_warned_of_what_is_questionable(world: World) {
    let spec = world.credential_spec("default").await;
    let mut pod = world.pod(&gmsa(Some(&spec), None));
    assert_eq!(warned(&world, &pod).await, (http::StatusCode::CREATED, vec![]));
    pod["metadata"]["name"] = json!(world.cluster.unique("pod"));
    pod["spec"].as_object_mut().unwrap().remove("nodeSelector");
    let (status, warnings) = warned(&world, &pod).await;
    assert_eq!(status, http::StatusCode::CREATED);
    if world.policies.is_some() {
        assert_eq!(warnings, [""; 0], "policies that warn would say so of each pod");
        return;
    }
    assert_eq!(warnings.len(), 1, "once, although two steps looked at it: {warnings:?}");
    assert!(warnings[0].contains("nothing binds it to Windows nodes"), "{warnings:?}");
    assert!(warnings[0].contains("(not-bound-to-windows)"), "{warnings:?}");
}

#[tokio::test]
async fn an_api_server_that_met_no_room_for_its_request_tries_again() {
    let name = "an_api_server_that_met_no_room_for_its_request_tries_again";
    let Some(mut world) = world(name).await else { return };
    let limits = ["--max-body-bytes=65536", "--max-buffered-bytes=65536", "--body-timeout=60"];
    let kubeconfig = world.cluster.kubeconfig.clone();
    world.server =
        crate::support::server(&world.cluster, &world.authority, &kubeconfig, &limits).await;
    world.webhook.point_to(&world.cluster, world.server.https, world.authority.pem()).await;
    world.namespace = world.webhook.namespace(&world.cluster, "full").await;
    let spec = world.credential_spec("default").await;
    let https = Https::new(world.server.https, world.authority.pem());
    eventually("the new server is asked", SOON, || async {
        let pod = world.pod(&gmsa(Some(&spec), None));
        world.try_create(&pod).await.ok()?;
        let asked = r#"gmsa_admission_requests_total{endpoint="validate",operation="create",decision="allowed",code="200"}"#;
        (world.server.metric(asked).await > 0.0).then_some(())
    })
    .await;
    let mut slow = https.connect("http/1.1").await.unwrap();
    let head = "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 65536\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    let turned_away = async || {
        let samples = ["mutate", "validate"].map(|endpoint| {
            format!(r#"gmsa_admission_requests_total{{endpoint="{endpoint}",operation="other",decision="denied",code="429"}}"#)
        });
        world.server.metric(&samples[0]).await + world.server.metric(&samples[1]).await
    };
    eventually("there is no room", SOON, || async {
        https.post("/mutate", "{}").await.ok().filter(|answer| answer.status == 429).map(drop)
    })
    .await;
    let before = turned_away().await;
    let pod = world.pod(&gmsa(Some(&spec), None));
    let created = world.create(&pod);
    let free = async {
        eventually("the API server met no room", SOON, || async {
            (turned_away().await > before).then_some(())
        })
        .await;
        drop(slow);
    };
    let (stored, ()) = tokio::join!(created, free);
    assert_eq!(contents_at(&stored, "/spec"), Some(canonical("WebApp1").as_str()));
}

async fn ephemeral_containers_are_judged_like_all_others(world: World) {
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
            world.settled().await;
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

async fn an_edited_credential_spec_is_used_by_the_next_pod(world: World) {
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
        crate::support::server(&world.cluster, &world.authority, &world.cluster.kubeconfig, &[])
            .await;
    checks::two_replicas_take_turns(&world, &second).await;
}
