//! A namespace that the webhook, or the policies, leave out: what becomes of its pods on a real API server,
//! and that every command says the same. It takes a server from 1.30, the policies one from 1.36, by
//! `KUBEBUILDER_ASSETS`.

use crate::support::world::{SOON, World};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Of the namespaces here `opted` has the label, and `out` has not.
async fn world(minor: u32, test: &str) -> Option<World> {
    let world = World::since(minor, test, "this API server has no admission policies").await?;
    let enabled = json!({"gmsa-webhook": "enabled"});
    for (name, labels) in [("opted", &enabled), ("out", &json!({}))] {
        world.bare_namespace(name, labels).await;
    }
    Some(world)
}

/// The rights, and in both namespaces a Deployment that makes no pods yet.
async fn users(world: &World) {
    for object in [objects::credential_spec("spec", "WebApp1"), objects::role("spec")] {
        world.apply(&object).await;
    }
    for name in ["opted", "out"] {
        world.apply(&objects::binding("spec", name, "default")).await;
        world.apply(&deployment(name)).await;
    }
}

fn deployment(namespace: &str) -> Value {
    let mut pod = objects::pod(namespace, "web", &gmsa(Some("spec"), None));
    pod["spec"]["os"] = json!({"name": "windows"});
    let mut deployment = objects::deployment(namespace, "web", &pod);
    deployment["spec"]["replicas"] = json!(0);
    deployment
}

/// A directory with the Deployments of these namespaces, and more.
fn files(namespaces: &[&str], more: &[Value]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let all = namespaces.iter().map(|name| deployment(name)).chain(more.iter().cloned());
    let text: Vec<String> = all.map(|object| format!("---\n{object}\n")).collect();
    std::fs::write(directory.path().join("all.yaml"), text.concat()).unwrap();
    directory
}

/// What the API server answers to a pod with a GMSA of the namespace.
async fn admits(world: &World, namespace: &str) -> Result<(), String> {
    world.admit(namespace).await
}

/// What `review --cluster` says of the only workload of the files.
async fn reviewed(world: &World, files: &TempDir) -> (i32, Value) {
    let path = files.path().to_str().unwrap();
    let (code, report) = world.report(&["review", "--cluster", "-f", path]).await;
    (code, report["workloads"][0].clone())
}

fn outcome(report: &Value, check: &str) -> Value {
    let outcomes = report["outcomes"].as_array().unwrap();
    let found = outcomes.iter().find(|one| one["check"] == check || one["id"] == check);
    found.unwrap_or_else(|| panic!("no {check}: {report:#}")).clone()
}

/// What all commands say while `out` is left out, and its pods are refused with `words`.
async fn all_say_that_they_are_refused(world: &World, words: &str, who: &str) {
    let refused = eventually("pods of out are refused", SOON, || async {
        admits(world, "out").await.err().filter(|message| message.contains(words))
    })
    .await;
    eventually("pods of opted are admitted", SOON, || async { admits(world, "opted").await.ok() })
        .await;

    let (code, workload) = reviewed(world, &files(&["opted"], &[])).await;
    assert_eq!((code, &workload["verdict"]), (0, &json!("admitted")), "{workload:#}");
    let (code, workload) = reviewed(world, &files(&["out"], &[])).await;
    assert_eq!((code, &workload["verdict"]), (1, &json!("denied")), "{workload:#}");
    let denial = &workload["places"][0]["denial"];
    assert_eq!(denial["reason"], "namespace-left-out", "{denial:#}");
    // The same words as the API server's.
    let message = denial["message"].as_str().unwrap();
    assert!(message.contains(words) && refused.contains(message), "{refused}: {denial:#}");
    // The label may come in the same files, and a namespace that does not exist has none.
    let labeled = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "out", "labels": {"gmsa-webhook": "enabled"}}});
    let (_, workload) = reviewed(world, &files(&["out"], &[labeled])).await;
    assert_eq!(workload["verdict"], "admitted", "{workload:#}");
    let (_, workload) = reviewed(world, &files(&["new"], &[])).await;
    assert_eq!(workload["places"][0]["denial"]["reason"], "namespace-left-out", "{workload:#}");

    let (code, report) = world.report(&["audit", "-A"]).await;
    let found = report["findings"].as_array().unwrap();
    let excluded = found.iter().find(|one| one["code"] == "gmsa-in-excluded-namespace");
    let excluded = excluded.unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!((code, &excluded["name"]), (1, &json!("out")), "{excluded:#}");
    assert!(excluded["message"].as_str().unwrap().contains("refuse"), "{excluded:#}");
    assert!(excluded["evidence"].to_string().contains("Deployment web"), "{excluded:#}");

    let words = format!("{who} pods with a GMSA in namespaces that are left out: out");
    for command in ["status", "doctor"] {
        let (code, report) = world.report(&[command]).await;
        let outcome = outcome(&report, "webhook-exclusions");
        assert_eq!((code, &outcome["state"]), (1, &json!("problem")), "{command}: {outcome:#}");
        assert_eq!(outcome["message"], json!(words), "{command}");
    }
    for (namespace, state) in [("opted", "ok"), ("out", "problem")] {
        let (_, report) = world.report(&["doctor", "deployment/web", "-n", namespace]).await;
        let outcome = outcome(&report, "pod-admission");
        assert_eq!(outcome["state"], state, "{outcome:#}");
        let is_said = outcome["message"].as_str().unwrap().contains("is left out by");
        assert_eq!(is_said, state == "problem", "{outcome:#}");
    }
    let page = tempfile::tempdir().unwrap();
    let page = page.path().join("report.html");
    world.run(&["report", "--out", page.to_str().unwrap()]).await;
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.contains("gmsa-in-excluded-namespace"), "the report says it");
}

/// The remedy of the denial, and back.
async fn the_label_ends_it(world: &World) {
    let label = async |value: Value| {
        let labels = json!({"metadata": {"labels": {"gmsa-webhook": value}}});
        world.patch("/api/v1/namespaces/out", &labels).await;
    };
    label(json!("enabled")).await;
    eventually("pods of out are admitted", SOON, || async { admits(world, "out").await.ok() })
        .await;
    let (code, workload) = reviewed(world, &files(&["out"], &[])).await;
    assert_eq!((code, &workload["verdict"]), (0, &json!("admitted")), "{workload:#}");
    let (_, report) = world.report(&["audit", "-A"]).await;
    assert!(!report.to_string().contains("gmsa-in-excluded-namespace"), "{report:#}");
    let (_, report) = world.report(&["status"]).await;
    let outcome = outcome(&report, "webhook-exclusions");
    assert!(outcome["message"].as_str().unwrap().starts_with("2 namespaces opted in"), "{outcome}");
    label(Value::Null).await;
}

/// Policies make no random hostnames, and `install` refuses the option.
async fn nothing_advises_what_policies_refuse(world: &World) {
    let mut long = deployment("opted");
    long["metadata"]["name"] = json!("name-of-15-signs-and-more");
    long["spec"]["replicas"] = json!(2);
    world.apply(&long).await;
    let (_, report) = world.report(&["audit", "-n", "opted"]).await;
    let found = report["findings"].as_array().unwrap();
    let shared = found.iter().find(|one| one["code"] == "shared-hostname-prefix").unwrap();
    let remedy = shared["remedy"].as_str().unwrap();
    assert!(remedy.contains("kubectl gmsa install --engine=webhook --random-hostname"), "{remedy}");
    let refused = world.run(&["install", "--random-hostname"]).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let words = "--engine=policy has no use for --random-hostname";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    let file = files(&[], &[long]);
    let (_, workload) = reviewed(world, &file).await;
    let found = workload["findings"].as_array().unwrap();
    let shared = found.iter().find(|one| one["code"] == "shared-hostname-prefix").unwrap();
    assert!(shared["hint"].as_str().unwrap().contains("--engine=webhook"), "{shared:#}");
}

const GUARD: &str = "namespace \"out\" is left out by the GMSA webhook";
const POLICIES: &str = "namespace \"out\" is left out by the GMSA policies";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_says_which_namespaces_the_webhook_leaves_out() {
    let test = "every_command_says_which_namespaces_the_webhook_leaves_out";
    let Some(world) = world(30, test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install", "--namespaces-opt-in"]).await;
    users(&world).await;
    all_say_that_they_are_refused(&world, GUARD, "the guard refuses").await;
    the_label_ends_it(&world).await;

    // Without the guard such a pod is created, without contents.
    world.done(&["upgrade", "--guard=false"]).await;
    eventually("pods of out are not refused", SOON, || async {
        let created = crate::support::load::create(&world.client, "out").await.ok()?;
        let options = &created["spec"]["securityContext"]["windowsOptions"];
        options["gmsaCredentialSpec"].is_null().then_some(())
    })
    .await;
    let (code, workload) = reviewed(&world, &files(&["out"], &[])).await;
    assert_eq!((code, &workload["verdict"]), (1, &json!("admitted")), "{workload:#}");
    let mut findings = workload["findings"].as_array().unwrap().iter();
    let finding = findings.find(|one| one["code"] == "gmsa-in-excluded-namespace");
    let finding = finding.unwrap_or_else(|| panic!("{workload:#}"));
    assert!(finding["message"].as_str().unwrap().contains("no right is checked"), "{workload:#}");
    let (_, report) = world.report(&["doctor", "deployment/web", "-n", "out"]).await;
    let outcome = outcome(&report, "pod-admission");
    assert_eq!(outcome["state"], "problem", "{outcome:#}");
    assert!(outcome["message"].as_str().unwrap().contains("nothing is filled in"), "{outcome:#}");

    // Without a webhook, too, that is said.
    world.done(&["uninstall", "--yes"]).await;
    let path = files(&["out"], &[]);
    let ran = world.run(&["review", "--cluster", "-f", path.path().to_str().unwrap()]).await;
    assert!(ran.stderr.contains("neither a GMSA webhook nor policies decide"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_says_which_namespaces_the_policies_leave_out() {
    let test = "every_command_says_which_namespaces_the_policies_leave_out";
    let Some(world) = world(36, test).await else { return };
    let _stand_in = world.stand_in(None).await;
    let engine = ["install", "--engine=policy", "--namespaces-opt-in", "--settle=3"];
    world.done(&engine).await;
    users(&world).await;
    all_say_that_they_are_refused(&world, POLICIES, "the policies refuse").await;
    the_label_ends_it(&world).await;
    nothing_advises_what_policies_refuse(&world).await;
    // The same by policies with the credential specs in them.
    world.done(&["install", "--engine=policy", "--static", "--settle=3"]).await;
    all_say_that_they_are_refused(&world, POLICIES, "the policies refuse").await;
}
