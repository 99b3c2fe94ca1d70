//! `kubectl gmsa status` on a real control plane. Processes on this machine stand in for the pods, at
//! addresses at which the API server reaches them.

use crate::support::world::{SOON, World};
use gmsa_cluster::installation::Version;
use gmsa_core::names::{GUARD, NAME};
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::address;
use gmsa_testkit::{objects, tools};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

impl World {
    /// The report, which fits its schema.
    async fn status(&self) -> Value {
        let (_, report) = self.report(&["status"]).await;
        crate::schema::check("status", &report);
        report
    }
}

/// The state and the message of a check.
fn check<'a>(report: &'a Value, id: &str) -> (&'a str, &'a str) {
    let outcomes = report["outcomes"].as_array().unwrap();
    // Of several objects the last, which is the validating configuration.
    let check = outcomes.iter().rfind(|outcome| outcome["check"] == id);
    let check = check.unwrap_or_else(|| panic!("no check {id}: {report:#}"));
    (check["state"].as_str().unwrap(), check["message"].as_str().unwrap())
}

/// The report once both replicas are ready and their metrics could be read.
async fn answers_of_both(world: &World) -> Value {
    eventually("both replicas answer", SOON, || async {
        let report = world.status().await;
        let replicas = report["replicas"].as_array()?;
        let all = replicas.iter().all(|one| one["ready"] == true && one["metrics"].is_object());
        (replicas.len() == 2 && all).then_some(report)
    })
    .await
}

/// How often the replicas refused with 403.
fn refusals(report: &Value) -> u64 {
    let replicas = report["replicas"].as_array().unwrap().iter();
    let denials = replicas.flat_map(|one| one["metrics"]["denials"].as_array().unwrap());
    let refused = denials.filter(|one| one["code"] == "403");
    refused.map(|one| one["count"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_replica_tells_its_version_its_age_its_certificate_and_its_denials() {
    let test = "each_replica_tells_its_version_its_age_its_certificate_and_its_denials";
    if !address::available() {
        return tools::skip(test, "pods cannot have addresses: `ip` and root are needed");
    }
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    // Where the guard refuses a pod, the replicas are not asked.
    world.done(&["install", "--guard=false"]).await;
    world.namespace("web").await;
    eventually("pods are admitted", SOON, || async { world.admit("web").await.ok() }).await;
    // Until its right was seen, the pod may have been refused too.
    let before = refusals(&answers_of_both(&world).await);
    // One that may not, which the validating step tells.
    let other = objects::credential_spec("other", "WebApp2");
    world.apply(&other).await;
    let pod = objects::pod("web", "probe", &objects::gmsa(Some("other"), None));
    let pod: Pod = serde_json::from_value(pod).unwrap();
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), "web");
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let refused = pods.create(&dry, &pod).await.expect_err("it may not use it").to_string();
    assert!(refused.contains("is not authorized"), "{refused}");

    let report = answers_of_both(&world).await;
    for id in ["versions", "sync", "denials", "exclusions", "certificate", "drift", "rollout"] {
        assert_eq!(check(&report, &format!("webhook-{id}")).0, "ok", "{report:#}");
    }
    assert_eq!(
        check(&report, "webhook-versions").1,
        concat!(env!("CARGO_PKG_VERSION"), " (2 replicas)")
    );
    assert_eq!(refusals(&report), before + 1, "{report:#}");
    // The questions of install itself, which the server must refuse with 422, are none.
    let said = format!("{} with code 403, and ", before + 1);
    assert!(check(&report, "webhook-denials").1.starts_with(&said), "{report:#}");
    assert!(check(&report, "webhook-sync").1.ends_with("; 2 credential specs"), "{report:#}");
    for replica in report["replicas"].as_array().unwrap() {
        let metrics = &replica["metrics"];
        assert_eq!(metrics["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(metrics["readsLive"], false);
        let end: k8s_openapi::jiff::Timestamp =
            metrics["certificateExpires"].as_str().unwrap().parse().unwrap();
        let days = end.duration_since(k8s_openapi::jiff::Timestamp::now()).as_hours() / 24;
        let said = check(&report, "webhook-certificate").1;
        assert!(said.contains(&format!("ends in {days} days")), "{said} {end}");
    }
    let table = world.done(&["status"]).await;
    let row = table.lines().find(|line| line.contains(" yes ")).unwrap();
    assert!(row.contains("gmsa-webhook-") && row.contains(" s ago"), "{table}");

    // What the guard refuses, the API server counts.
    if world.version().has_policies() {
        world.done(&["upgrade", "--guard"]).await;
        eventually("the guard's refusal is counted", SOON, || async {
            let _refused = pods.create(&dry, &pod).await.expect_err("it may not use it");
            let request = http::Request::get("/metrics").body(Vec::new()).unwrap();
            let page = world.client.request_text(request).await.unwrap();
            let counts = |line: &str| {
                line.starts_with("apiserver_validating_admission_policy_check_total{")
                    && line.contains("enforcement_action=\"deny\"")
                    && line.contains(&format!("policy=\"{GUARD}\""))
            };
            page.lines().any(counts).then_some(())
        })
        .await;
    }

    // A user scales it by hand, and excludes a namespace.
    let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), NAME);
    let patch = json!({"spec": {"replicas": 1}});
    deployments.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let label = json!({"metadata": {"labels": {NAME: "disabled"}}});
    namespaces.patch("web", &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    let report = eventually("one replica is left", SOON, || async {
        let report = world.status().await;
        (report["replicas"].as_array()?.len() == 1).then_some(report)
    })
    .await;
    let drift = check(&report, "webhook-drift");
    assert_eq!(drift.0, "warning");
    assert!(drift.1.contains("deployment/gmsa-webhook (spec.replicas)"), "{}", drift.1);
    let (major, minor) = world.plane.version();
    let exclusions = check(&report, "webhook-exclusions");
    if Version(major, minor).filters() {
        assert_eq!(exclusions, ("ok", "every namespace is sent"));
    } else {
        assert_eq!(exclusions.0, "warning");
        assert!(exclusions.1.contains("these namespaces are not checked: "), "{}", exclusions.1);
        assert!(exclusions.1.ends_with("gmsa-webhook, kube-system, web"), "{}", exclusions.1);
    }
}
