//! A controller that edits webhook configurations, as the Admissions Enforcer of AKS does, before,
//! during and after install, upgrade and takeover.

use crate::support::Ran;
use crate::support::enforcer::{Enforcer, MANAGER};
use crate::support::windows_gmsa::{Running, by_chart, certificate, definition, plant};
use crate::support::world::{SOON, World};
use gmsa_core::names::{GUARD, NAME};
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};

const KINDS: [&str; 2] = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];

fn path(kind: &str, name: &str) -> String {
    format!("/apis/admissionregistration.k8s.io/v1/{kind}/{name}")
}

/// The keys of the namespace selector of each of our configurations.
async fn selected_by(world: &World) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for kind in KINDS {
        let live = world.get(&path(kind, NAME)).await;
        let expressions = live["webhooks"][0]["namespaceSelector"]["matchExpressions"].as_array();
        let keys = expressions.into_iter().flatten().map(|one| one["key"].as_str().unwrap());
        all.push(keys.map(str::to_owned).collect());
    }
    all
}

/// The keys without those of the enforcer.
async fn assert_whole(world: &World) {
    for keys in selected_by(world).await {
        assert!(
            keys.iter().all(|key| !key.contains("azure") && key != "control-plane"),
            "{keys:?}"
        );
    }
}

/// A namespace with the label by which the enforcer excludes it, in which a GMSA may be used.
async fn infra(world: &World) {
    world.bare_namespace("infra", &json!({"control-plane": "true"})).await;
    for object in [
        objects::credential_spec("spec", "WebApp1"),
        objects::role("spec"),
        objects::binding("spec", "infra", "default"),
    ] {
        world.apply(&object).await;
    }
}

/// What a command reports of the check.
async fn exclusions(world: &World, command: &str) -> Vec<Value> {
    let (_, report) = world.report(&[command]).await;
    let all = report["outcomes"].as_array().unwrap().iter();
    all.filter(|one| one["check"] == "webhook-exclusions").cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn selectors_that_others_add_are_kept_out_named_and_removed() {
    let test = "selectors_that_others_add_are_kept_out_named_and_removed";
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    // It edits what has not opted out; ours has.
    let obedient = Enforcer::start(&world.client, true);
    let another = json!({"apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "another"},
        "webhooks": [{"name": "a.example.com", "sideEffects": "None", "failurePolicy": "Ignore",
            "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://example.com"}}]});
    world.apply(&another).await;
    world.done(&["install"]).await;
    world.done(&["upgrade", "--timeout-seconds=6"]).await;
    let of = path("validatingwebhookconfigurations", "another");
    eventually("the enforcer edits the other one", SOON, || async {
        let live = world.get(&of).await;
        live["webhooks"][0]["namespaceSelector"]["matchExpressions"].is_array().then_some(())
    })
    .await;
    assert_whole(&world).await;
    drop(obedient);
    infra(&world).await;
    eventually("the namespace is checked", SOON, || async { world.admit("infra").await.ok() })
        .await;

    // One that does not look at annotations edits ours, once.
    Enforcer::once(&world.client).await;
    // Where the API server has admission policies, the guard refuses what was not expanded.
    eventually("the namespace is not checked", SOON, || async {
        let why = world.admit("infra").await.err()?;
        let is_guarded = world.version().has_policies();
        let words = if is_guarded { GUARD } else { "not expanded" };
        why.contains(words).then_some(())
    })
    .await;
    for command in ["status", "doctor"] {
        let found = exclusions(&world, command).await;
        assert_eq!(found.len(), 2, "{found:#?}");
        for one in found {
            assert_eq!(one["state"], "warning", "{command}: {one:#}");
            let message = one["message"].as_str().unwrap();
            let names = message.strip_prefix("pods in these namespaces are not checked: ").unwrap();
            assert!(names.split(", ").any(|name| name == "infra"), "{message}");
            let evidence = one["evidence"].to_string();
            assert!(evidence.contains(MANAGER) && evidence.contains("control-plane"), "{evidence}");
            assert!(one["next"].to_string().contains("leave the configuration alone"), "{one:#}");
        }
    }
    let (_, report) = world.report(&["audit"]).await;
    let found = report["findings"].as_array().unwrap().iter();
    let found: Vec<&Value> = found.filter(|one| one["code"] == "webhook-may-skip-pods").collect();
    assert_eq!(found.len(), 1, "{report:#}");
    assert!(found[0]["message"].as_str().unwrap().contains("infra"), "{}", found[0]);
    assert!(found[0]["evidence"].to_string().contains(MANAGER), "{}", found[0]);

    // Where a GMSA is used it is a problem.
    let pod = objects::pod("infra", "web", &objects::gmsa(Some("spec"), None));
    world.apply(&objects::deployment("infra", "web", &pod)).await;
    for one in exclusions(&world, "status").await {
        assert_eq!(one["state"], "problem", "{one:#}");
        assert!(one["evidence"].to_string().contains(MANAGER), "{one:#}");
    }

    // An upgrade takes nothing away unasked, and says who holds it.
    let Ran { code, stderr, .. } = world.run(&["upgrade"]).await;
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains(MANAGER) && stderr.contains("--force-conflicts"), "{stderr}");
    assert!(stderr.contains("nothing was changed"), "{stderr}");
    world.done(&["upgrade", "--force-conflicts"]).await;
    assert_whole(&world).await;
    assert!(
        exclusions(&world, "status")
            .await
            .iter()
            .all(|one| { one["state"] == "ok" || !one["evidence"].to_string().contains(MANAGER) })
    );
    world.admit("infra").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enforcer_that_never_stops_is_named_by_install() {
    let Some(world) = World::new("an_enforcer_that_never_stops_is_named_by_install").await else {
        return;
    };
    let _stand_in = world.stand_in(None).await;
    world.bare_namespace("infra", &json!({"control-plane": "true"})).await;
    let enforcer = Enforcer::start(&world.client, false);
    for args in [&["install"][..], &["upgrade", "--force-conflicts"]] {
        let Ran { code, stdout, stderr } = world.run(args).await;
        assert_eq!(code, 1, "{stdout}{stderr}");
        for words in [
            "the webhooks are not sent what install configured",
            "MutatingWebhookConfiguration gmsa-webhook: namespaceSelector of mutate.",
            "ValidatingWebhookConfiguration gmsa-webhook: namespaceSelector of validate.",
            "set by the field manager \"admissionsenforcer\"",
            "pods in these namespaces are not checked: ",
            "infra",
            "admissions.enforcer/disabled",
        ] {
            assert!(stderr.contains(words), "{words}: {stderr}");
        }
        // It is installed nevertheless: all other pods are checked.
        assert!(stdout.contains("deployment/gmsa-webhook"), "{stdout}");
    }
    drop(enforcer);
    world.done(&["upgrade", "--force-conflicts"]).await;
    assert_whole(&world).await;
}

/// The old webhook stays until ours is sent the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_takeover_does_not_end_while_an_enforcer_narrows_ours() {
    let test = "a_takeover_does_not_end_while_an_enforcer_narrows_ours";
    let Some(world) = World::new(test).await else { return };
    plant(&world, &[definition()]).await;
    infra(&world).await;
    let (namespace, release) = ("windows-gmsa", "gmsa");
    world.bare_namespace(namespace, &json!({"kubernetes.io/metadata.name": namespace})).await;
    let (files, bundle) = certificate(namespace, release);
    let objects = by_chart(namespace, release, &bundle);
    let (base, configurations) = objects.split_at(objects.len() - 2);
    plant(&world, base).await;
    let mut old = Running::start(&world, namespace, release, files).await;
    plant(&world, configurations).await;
    eventually("the old one answers", SOON, || async { world.admit("infra").await.ok() }).await;

    let _stand_in = world.stand_in(None).await;
    // It edits the old one's configurations too.
    let enforcer = Enforcer::start(&world.client, false);
    let takeover = ["install", "--adopt", "--accept-denials", "--yes", "--settle=1", "--wait=60"];
    let Ran { code, stdout, stderr } = world.run(&takeover).await;
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stderr.contains("the takeover has stopped here"), "{stderr}");
    assert!(stderr.contains("set by the field manager \"admissionsenforcer\""), "{stderr}");
    assert!(stderr.contains("pods in these namespaces are not checked: infra"), "{stderr}");
    for object in &objects {
        assert!(world.live(object).await.is_some(), "{object} is gone");
    }

    // It leaves ours alone from now on.
    drop(enforcer);
    let _obedient = Enforcer::start(&world.client, true);
    world.done(&takeover).await;
    old.ended().await;
    for configuration in configurations {
        assert!(world.live(configuration).await.is_none(), "{configuration} is left");
    }
    assert_whole(&world).await;
    eventually("the namespace is checked", SOON, || async { world.admit("infra").await.ok() })
        .await;
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
}
