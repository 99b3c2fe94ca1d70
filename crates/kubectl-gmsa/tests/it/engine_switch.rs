//! Installing the policy engine, switching between the engines, and what the commands say of it. It takes
//! a server from 1.36, by `KUBEBUILDER_ASSETS`; what older servers answer is tested on the one that the
//! tests build.

use crate::support::load::Load;
use crate::support::world::{SOON, World};
use gmsa_core::names::{ENGINE_CHECK, ENGINE_EXPAND, ENGINE_GUARD, INDEX_KEEPER, NAME};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools::skip_in_ci_too;
use serde_json::{Value, json};

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
/// A definition's group, written in two parts: the domain has one place.
fn index_path() -> String {
    format!("/apis/{}/v1/gmsaindexes/gmsa", gmsa_core::names::DOMAIN)
}

fn definition_path() -> String {
    let domain = gmsa_core::names::DOMAIN;
    format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gmsaindexes.{domain}")
}

/// A control plane whose API server has the policy engine.
async fn world(test: &str) -> Option<World> {
    let why_not = "this API server changes no pods by policies; see docs/engine.md";
    World::since(36, test, why_not).await
}

/// Whether there is an object at this path.
async fn is_there(world: &World, path: &str) -> bool {
    match world.request("GET", path, &Value::Null).await {
        Ok(_) => true,
        Err(kube::Error::Api(status)) if status.code == 404 => false,
        Err(error) => panic!("{error}"),
    }
}

async fn webhooks_are_there(world: &World) -> [bool; 2] {
    let path = |kind: &str| format!("{ADMISSION}/{kind}webhookconfigurations/{NAME}");
    [is_there(world, &path("mutating")).await, is_there(world, &path("validating")).await]
}

async fn policies_are_there(world: &World) -> [bool; 3] {
    let path = |kind: &str, name: &str| format!("{ADMISSION}/{kind}admissionpolicies/{name}");
    [
        is_there(world, &path("mutating", ENGINE_EXPAND)).await,
        is_there(world, &path("validating", ENGINE_CHECK)).await,
        is_there(world, &path("validating", ENGINE_GUARD)).await,
    ]
}

/// The row of a check in the table of `status`.
fn row(status: &str, id: &str) -> String {
    let found = status.lines().find(|row| row.starts_with(id));
    found.unwrap_or_else(|| panic!("no {id} in {status}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_api_server_keeps_the_webhook_and_says_why() {
    let test = "an_older_api_server_keeps_the_webhook_and_says_why";
    let Some(world) = World::new(test).await else { return };
    if world.plane.at_least(1, 36) {
        skip_in_ci_too(test, "this API server is not older");
        return;
    }
    let ran = world.run(&["install", "--engine=policy"]).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("--engine=policy needs API servers from 1.36"), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
    let _stand_in = world.stand_in(None).await;
    let ran = world.run(&["install", "--engine=auto"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("engine: webhook, because the policy engine needs an API server from 1.36"),
        "{}",
        ran.stderr
    );
    assert_eq!(webhooks_are_there(&world).await, [true; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_go_on_through_every_switch_of_the_engine() {
    let test = "pods_go_on_through_every_switch_of_the_engine";
    let Some(world) = world(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("web").await;
    world.bare_namespace("other", &json!({})).await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;
    let may = Load::start(&world.client, "web");
    let may_not = Load::denied(&world.client, "other");
    let fine = async |when: &str| {
        may.nothing_failed(when).await;
        may_not.nothing_failed(when).await;
        world.plain("web").await.unwrap();
    };
    fine("before").await;
    for round in 0..2 {
        let said = world.run(&["install", "--engine=policy", "--settle=5"]).await;
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert!(said.stderr.contains("the policies answer"), "{}", said.stderr);
        fine(&format!("to the policies, round {round}")).await;
        assert_eq!(webhooks_are_there(&world).await, [false; 2]);
        assert_eq!(policies_are_there(&world).await, [true; 3]);
        // Again is nothing to do.
        let again = world.done(&["install", "--settle=5"]).await;
        assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
        let said = world.run(&["install", "--engine=webhook", "--settle=5"]).await;
        assert_eq!(said.code, 0, "{}", said.stderr);
        fine(&format!("to the webhook, round {round}")).await;
        assert_eq!(webhooks_are_there(&world).await, [true; 2]);
        assert_eq!(policies_are_there(&world).await, [false; 3]);
        assert!(!is_there(&world, &definition_path()).await);
    }
    println!("{} pods were admitted and {} denied", may.count(), may_not.count());
    may.end().await;
    may_not.end().await;
    world.done(&["status"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_engine_is_reported_and_restored() {
    let test = "what_is_wrong_with_the_engine_is_reported_and_restored";
    let Some(world) = world(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    let installed = world.done(&["install", "--engine=policy", "--settle=3"]).await;
    let line = |words: &str| installed.lines().position(|line| line.contains(words)).unwrap();
    let order = [
        line("customresourcedefinition/gmsaindexes"),
        line("deployment/gmsa-webhook"),
        line(&format!("mutatingadmissionpolicy/{ENGINE_EXPAND}")),
        line(&format!("validatingadmissionpolicy/{ENGINE_CHECK}")),
    ];
    assert!(order.is_sorted(), "{installed}");
    world.namespace("web").await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;
    let status = world.done(&["status"]).await;
    for id in ["engine-whole", "engine-index"] {
        assert!(row(&status, id).contains(" ok "), "{status}");
    }
    for id in ["webhook-configured", "guard-whole"] {
        assert!(!status.contains(id), "{status}");
    }
    let doctor = world.run(&["doctor"]).await.stdout;
    assert!(!doctor.contains("do not decide on pods"), "{doctor}");
    let (_, report) = world.report(&["audit", "-A"]).await;
    assert!(!report.to_string().contains("webhook-missing"), "{report}");

    // Each policy and each binding, one after the other; the remedy restores it.
    let policies = [
        ("mutatingadmissionpolicies", ENGINE_EXPAND),
        ("mutatingadmissionpolicybindings", ENGINE_EXPAND),
        ("validatingadmissionpolicies", ENGINE_CHECK),
        ("validatingadmissionpolicybindings", ENGINE_CHECK),
        ("validatingadmissionpolicies", ENGINE_GUARD),
        ("validatingadmissionpolicybindings", ENGINE_GUARD),
    ];
    for (plural, name) in policies {
        let path = format!("{ADMISSION}/{plural}/{name}");
        world.request("DELETE", &path, &json!({})).await.unwrap();
        let ran = world.run(&["status"]).await;
        let row = row(&ran.stdout, "engine-whole");
        assert!(ran.code == 1 && row.contains(" problem ") && row.contains("is missing"), "{row}");
        world.done(&["install", "--settle=1"]).await;
    }
    let binding = format!("{ADMISSION}/validatingadmissionpolicybindings/{ENGINE_CHECK}");
    for change in [
        json!({"spec": {"validationActions": ["Audit"]}}),
        json!({"spec": {"matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}}),
    ] {
        world.patch(&binding, &change).await;
        let ran = world.run(&["status"]).await;
        assert!(row(&ran.stdout, "engine-whole").contains(" problem "), "{}", ran.stdout);
        world.done(&["install", "--settle=1", "--force-conflicts"]).await;
    }
    // The index: without its keeper nobody restores it but install.
    let deployment = "/apis/apps/v1/namespaces/gmsa-webhook/deployments/gmsa-webhook";
    world.request("DELETE", deployment, &json!({})).await.unwrap();
    eventually("no replica runs", SOON, || async {
        let pods = world.get("/api/v1/namespaces/gmsa-webhook/pods").await;
        pods["items"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    // Known names go on, and plain pods.
    world.admit("web").await.unwrap();
    let forged = json!({"entries": {"spec": "{\"a\":1}", "made-up": "{}"}});
    // The processes of the pods end some seconds after these, and restore it until then.
    eventually("the doctor sees what was forged", SOON, || async {
        world.patch(&index_path(), &forged).await;
        let ran = world.run(&["doctor"]).await;
        let words = ["it has other contents of spec", "made-up"];
        words.iter().all(|words| ran.stdout.contains(words)).then_some(())
    })
    .await;
    world.request("DELETE", &index_path(), &json!({})).await.unwrap();
    eventually("GMSA pods are refused", SOON, || async { world.admit("web").await.err() }).await;
    world.plain("web").await.unwrap();
    let ran = world.run(&["doctor"]).await;
    assert!(ran.stdout.contains("there is no index"), "{}", ran.stdout);
    world.done(&["install", "--engine=policy", "--settle=1"]).await;
    eventually("pods are expanded again", SOON, || async { world.admit("web").await.ok() }).await;
    world.done(&["status"]).await;

    // Nothing of it stays.
    let removed = world.done(&["uninstall", "--yes"]).await;
    let line = |words: &str| removed.lines().position(|line| line.contains(words)).unwrap();
    let order = [
        line(&format!("validatingadmissionpolicybinding/{ENGINE_CHECK}")),
        line(&format!("mutatingadmissionpolicybinding/{ENGINE_EXPAND}")),
        line(&format!("validatingwebhookconfiguration/{INDEX_KEEPER}")),
        line("deployment/gmsa-webhook"),
        line("customresourcedefinition/gmsaindexes"),
    ];
    assert!(order.is_sorted(), "{removed}");
    assert_eq!(policies_are_there(&world).await, [false; 3]);
    // The API server deletes what is of a definition before the definition.
    eventually("the definition is gone", SOON, || async {
        (!is_there(&world, &definition_path()).await).then_some(())
    })
    .await;
    let role = format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{INDEX_KEEPER}");
    assert!(!is_there(&world, &role).await);
}

/// A credential spec and a pod that names it, one right after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_spec_and_a_pod_come_together() {
    let test = "a_credential_spec_and_a_pod_come_together";
    let Some(world) = world(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install", "--engine=policy", "--settle=3"]).await;
    world.namespace("web").await;
    world
        .apply(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "all"}, "rules": [{"apiGroups": ["windows.k8s.io"],
                "resources": ["gmsacredentialspecs"], "verbs": ["use"]}]}))
        .await;
    world.apply(&objects::binding("all", "web", "default")).await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;
    let together = async |name: &str| {
        let specs = "/apis/windows.k8s.io/v1/gmsacredentialspecs";
        world.request("POST", specs, &objects::credential_spec(name, "Web")).await.unwrap();
        let pod = objects::pod("web", name, &gmsa(Some(name), None));
        world.request("POST", "/api/v1/namespaces/web/pods?dryRun=All", &pod).await
    };
    let mut number = 0;
    eventually("the webhook is asked", SOON, || {
        number += 1;
        let name = format!("try-{number}");
        async move { together(&name).await.ok() }
    })
    .await;
    let (count, mut refused) = (30, Vec::new());
    for number in 0..count {
        if let Err(error) = together(&format!("new-{number}")).await {
            refused.push(error.to_string());
        }
    }
    println!("{} of {count} were refused: {refused:?}", refused.len());
    assert!(refused.len() <= 1, "{refused:?}");
}
