//! What has to work in every installation.

use std::time::Duration;

use gmsa_testkit::https::Https;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::{Value, json};

use super::table::{both_steps, with_ephemeral};
use super::{SOON, World, canonical, contents_at};

/// The stored pod of a deployment has the contents at the pod, at two containers and at an init
/// container, and at no other place.
pub async fn every_place_carries_its_contents(world: &World) {
    let [pod_spec, own_spec, init_spec] = [
        world.credential_spec("default").await,
        world.credential_spec("default").await,
        world.credential_spec("default").await,
    ];
    world.cluster.apply(&objects::credential_spec(&own_spec, "Own")).await;
    world.cluster.apply(&objects::credential_spec(&init_spec, "Init")).await;
    let mut pod = world.pod(&gmsa(Some(&pod_spec), None));
    pod["spec"]["containers"] = json!([
        {"name": "plain", "image": "i"},
        {"name": "own", "image": "i", "securityContext": gmsa(Some(&own_spec), None)},
        {"name": "same", "image": "i", "securityContext": gmsa(Some(&pod_spec), None)},
    ]);
    pod["spec"]["initContainers"] =
        json!([{"name": "init", "image": "i", "securityContext": gmsa(Some(&init_spec), None)}]);
    world.settled().await;
    world.cluster.apply(&objects::deployment(&world.namespace, "every", &pod)).await;
    let stored = eventually("a pod of the deployment", SOON, || async {
        let pods = world.pods().list(&ListParams::default().labels("app=every")).await.unwrap();
        pods.items.into_iter().next()
    })
    .await;
    let stored = serde_json::to_value(stored).unwrap();
    assert_eq!(contents_at(&stored, "/spec"), Some(canonical("WebApp1").as_str()));
    assert_eq!(contents_at(&stored, "/spec/containers/0"), None);
    assert_eq!(contents_at(&stored, "/spec/containers/1"), Some(canonical("Own").as_str()));
    assert_eq!(contents_at(&stored, "/spec/containers/2"), Some(canonical("WebApp1").as_str()));
    assert_eq!(contents_at(&stored, "/spec/initContainers/0"), Some(canonical("Init").as_str()));
}

/// Contents that are equal as JSON, but written in another way, stay as they are.
pub async fn preset_contents_stay(world: &World) {
    let spec = world.credential_spec("default").await;
    let pretty = serde_json::to_string_pretty(&objects::contents("WebApp1")).unwrap();
    // The keys of the outermost object in another order.
    let Value::Object(contents) = objects::contents("WebApp1") else { panic!() };
    let members = contents.iter().rev().map(|(key, value)| format!("\"{key}\": {value}"));
    let turned = format!("{{{}}}", members.collect::<Vec<_>>().join(", "));
    for preset in [pretty, turned] {
        assert_ne!(preset, canonical("WebApp1"));
        let stored = world.create(&world.pod(&gmsa(Some(&spec), Some(&preset)))).await;
        assert_eq!(contents_at(&stored, "/spec"), Some(preset.as_str()));
    }
}

/// An ephemeral container gets its contents, as newer API servers ask; preset ones stay.
pub async fn an_ephemeral_container_carries_its_contents(world: &World) {
    let spec = world.credential_spec("default").await;
    let https = Https::new(world.server.https, world.authority.pem());
    let old = world.pod(&json!({}));
    let pretty = serde_json::to_string_pretty(&objects::contents("WebApp1")).unwrap();
    for (preset, expected) in
        [(None, canonical("WebApp1")), (Some(pretty.as_str()), pretty.clone())]
    {
        let new = with_ephemeral(&old, &gmsa(Some(&spec), preset));
        let review = objects::ephemeral_review(&world.namespace, &old, &new);
        let stored: Value = both_steps(&https, &review).await.unwrap();
        assert_eq!(contents_at(&stored, "/spec/ephemeralContainers/0"), Some(expected.as_str()));
    }
}

/// Several times over: no right, then granted, then revoked.
pub async fn a_grant_works_at_once_and_a_revocation_within_a_second(world: &World) {
    let spec = world.cluster.unique("spec");
    world.cluster.apply(&objects::credential_spec(&spec, "WebApp1")).await;
    for _ in 0..3 {
        let pod = world.pod(&gmsa(Some(&spec), None));
        let (code, _) = world.try_create(&pod).await.expect_err("no right yet");
        assert_eq!(code, 403);
        world.grant(&spec, "default").await;
        let stored = world.create(&pod).await;
        assert_eq!(contents_at(&stored, "/spec"), Some(canonical("WebApp1").as_str()));

        let bindings: Api<RoleBinding> =
            Api::namespaced(world.cluster.client.clone(), &world.namespace);
        bindings.delete(&spec, &DeleteParams::default()).await.unwrap();
        eventually("the revocation", Duration::from_secs(1), || async {
            world.try_create(&world.pod(&gmsa(Some(&spec), None))).await.err().map(drop)
        })
        .await;
    }
}

/// A credential spec and a pod made one after the other, and an edit, are known to whichever
/// replica is asked.
pub async fn two_replicas_take_turns(world: &World, second: &Server) {
    let names: Vec<String> = (0..20).map(|_| world.cluster.unique("fresh")).collect();
    for name in &names {
        world.grant(name, "default").await;
    }
    let replicas =
        [&world.server, second].map(|server| Https::new(server.https, world.authority.pem()));
    for (round, name) in names.iter().enumerate() {
        world.cluster.apply(&objects::credential_spec(name, "WebApp1")).await;
        let (first, second) = (&replicas[round % 2], &replicas[(round + 1) % 2]);
        let expand = objects::review(&world.namespace, &world.pod(&gmsa(Some(name), None)));
        let full = gmsa(Some(name), Some(&canonical("WebApp1")));
        let judge = objects::review(&world.namespace, &world.pod(&full));
        let mutation = first.review("/mutate", &expand).await;
        assert!(mutation["patch"].is_string(), "{mutation}");
        let validation = second.review("/validate", &judge).await;
        assert_eq!(validation["allowed"], json!(true), "{validation}");
        // And after an edit that one of them may not have seen.
        world.cluster.apply(&objects::credential_spec(name, "Edited")).await;
        let edited = gmsa(Some(name), Some(&canonical("Edited")));
        let judge = objects::review(&world.namespace, &world.pod(&edited));
        let validation = first.review("/validate", &judge).await;
        assert_eq!(validation["allowed"], json!(true), "{validation}");
    }
}
