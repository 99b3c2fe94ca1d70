//! Installing into a real control plane. Processes on this machine stand in for the pods.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::world::{SOON, World};
use crate::support::{Ran, run};
use assert_cmd::Command;
use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::installation::{Options, Version, objects};
use gmsa_core::names;
use gmsa_testkit::process::eventually;
use gmsa_testkit::tcp_proxy::TcpProxy;
use gmsa_testkit::tools;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Namespace, Pod, ResourceQuota};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn install_again_upgrade_status_and_uninstall() {
    let Some(world) = World::new("install_again_upgrade_status_and_uninstall").await else {
        return;
    };
    let before = world.done(&["install", "--dry-run=server"]).await;
    // Differences stand below their object, indented.
    let mut objects = before.lines().filter(|line| !line.starts_with(' '));
    assert!(objects.all(|line| line.ends_with("(server dry run)")), "{before}");
    let live = world.objects().await;
    let there = live.iter().flatten().count();
    assert!(there <= 1, "a dry run made something: {live:?}");
    assert_eq!(world.run(&["status"]).await.code, 1, "nothing is installed");

    let _stand_in = world.stand_in(None).await;
    let installed = world.done(&["install"]).await;
    assert!(installed.contains("deployment/gmsa-webhook created"), "{installed}");
    world.namespace("web").await;
    world.admit("web").await.unwrap();
    let first = world.objects().await;
    assert!(first.iter().all(Option::is_some), "{first:?}");

    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    assert_eq!(world.objects().await, first);

    let status = world.done(&["status"]).await;
    for id in [
        "webhook-replicas",
        "webhook-configured",
        "webhook-failure-policy",
        "webhook-certificate",
        "webhook-ca-bundle",
        "webhook-drift",
    ] {
        let row = status.lines().find(|row| row.trim_start().starts_with(id)).unwrap();
        assert!(row.contains(" ok "), "{status}");
    }

    // Omitted options keep their value: the second upgrade keeps the replicas of the first.
    let upgraded = world.done(&["upgrade", "--replicas=3"]).await;
    assert!(upgraded.contains("spec.replicas: 2 -> 3"), "{upgraded}");
    // They are kept as JSON, which nobody wants to read.
    let kept = "  metadata.annotations.kube-gmsa.dev/options: the options of this installation\n";
    assert!(upgraded.contains(kept) && !upgraded.contains("timeoutSeconds"), "{upgraded}");
    world.done(&["upgrade", "--random-hostname", "--mutating-failure-policy=Ignore"]).await;
    let live = world.objects().await;
    // Those, and nothing else.
    let deployment = "Deployment/gmsa-webhook";
    assert_eq!(
        differences(&first, &live),
        [
            format!("{deployment}/metadata/annotations/kube-gmsa.dev/options"),
            format!("{deployment}/spec/replicas"),
            format!("{deployment}/spec/template/spec/containers/0/args"),
            "MutatingWebhookConfiguration/gmsa-webhook/webhooks/0/failurePolicy".to_owned(),
        ]
    );
    let find = |kind: &str| live.iter().flatten().find(|one| one["kind"] == kind).unwrap().clone();
    assert_eq!(find("Deployment")["spec"]["replicas"], 3);
    assert_eq!(find("MutatingWebhookConfiguration")["webhooks"][0]["failurePolicy"], "Ignore");
    let validating = find("ValidatingWebhookConfiguration");
    assert_eq!(validating["webhooks"][0]["failurePolicy"], "Fail");
    assert!(validating["webhooks"][0]["clientConfig"]["caBundle"].is_string());

    // Another manager edits the failure policy of validation: reported, and restored.
    let configurations: Api<
        k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration,
    > = Api::all(world.client.clone());
    let name = validating["webhooks"][0]["name"].clone();
    let patch = json!({"webhooks": [{"name": name, "failurePolicy": "Ignore"}]});
    let params =
        PatchParams { field_manager: Some("another-manager".to_owned()), ..Default::default() };
    configurations.patch(names::NAME, &params, &Patch::Strategic(patch)).await.unwrap();
    let Ran { code, stdout: status, .. } = world.run(&["status"]).await;
    assert_eq!(code, 1, "{status}");
    let row = status
        .lines()
        .find(|row| row.starts_with("webhook-failure-policy") && row.contains("Validating"));
    assert!(row.is_some_and(|row| row.contains(" problem ")), "{status}");
    let Ran { code, stderr, .. } = world.run(&["install"]).await;
    assert!(stderr.contains("another-manager") && stderr.contains("--force-conflicts"), "{stderr}");
    assert_eq!(code, 3);
    world.done(&["install", "--force-conflicts"]).await;
    world.done(&["status"]).await;

    let ran = world.run(&["uninstall"]).await;
    assert_eq!(ran.code, 2, "without a terminal it is not asked");
    let removed = world.done(&["uninstall", "--yes"]).await;
    let order: Vec<&str> = removed.lines().filter_map(|line| line.split('/').next()).collect();
    // The policies refuse what the webhooks did not see, so they go before.
    let is_policy = |kind: &&&str| kind.contains("admissionpolicy");
    let policies = order.iter().take_while(is_policy).count();
    assert_eq!(policies > 0, world.version().has_policies(), "{removed}");
    let configurations = ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"];
    assert!(order[policies..].starts_with(&configurations), "{removed}");
    assert!(!removed.contains("customresourcedefinition"), "{removed}");
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    eventually("the namespace is gone", SOON, || async {
        namespaces.get_opt(names::NAME).await.unwrap().is_none().then_some(())
    })
    .await;
    let left: Vec<_> = world.objects().await.into_iter().flatten().collect();
    let kinds: Vec<&str> = left.iter().filter_map(|one| one["kind"].as_str()).collect();
    assert!(kinds.iter().all(|kind| ["CustomResourceDefinition", "Namespace"].contains(kind)));
    assert!(kinds.contains(&"CustomResourceDefinition"));
    let definition = |objects: &[Option<Value>]| {
        let mut objects = objects.iter().flatten();
        objects.find(|one| one["kind"] == "CustomResourceDefinition").cloned()
    };
    assert_eq!(definition(&world.objects().await), definition(&live));
    let labels = namespaces.get("kube-system").await.unwrap().metadata.labels.unwrap_or_default();
    assert!(!labels.contains_key(names::NAMESPACE_LABEL), "{labels:?}");
    assert!(world.admit("web").await.is_err_and(|why| why.contains("not expanded")));
}

/// Where objects differ.
fn differences(before: &[Option<Value>], after: &[Option<Value>]) -> Vec<String> {
    fn walk(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
        match (before, after) {
            (Value::Object(one), Value::Object(other)) => {
                let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
                for key in keys {
                    walk(&format!("{path}/{key}"), &before[key], &after[key], found);
                }
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                for (index, (one, other)) in one.iter().zip(other).enumerate() {
                    walk(&format!("{path}/{index}"), one, other, found);
                }
            }
            _ if before == after => {}
            _ => found.push(path.to_owned()),
        }
    }
    assert_eq!(before.len(), after.len());
    let mut found = Vec::new();
    for (before, after) in before.iter().zip(after) {
        let (before, after) = (before.clone().unwrap(), after.clone().unwrap());
        let name = format!(
            "{}/{}",
            before["kind"].as_str().unwrap(),
            before["metadata"]["name"].as_str().unwrap()
        );
        walk(&name, &before, &after, &mut found);
    }
    found
}

/// The worst that can happen: every replica is gone, at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_stops_no_more_than_it_must() {
    let Some(world) = World::new("an_outage_stops_no_more_than_it_must").await else { return };
    let stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("web").await;
    world.admit("web").await.unwrap();
    drop(stand_in);
    let why = world.admit("web").await.expect_err("nobody can say whether it may");
    assert!(why.contains("failed calling webhook"), "{why}");

    world.plain("kube-system").await.unwrap();
    let (major, minor) = world.plane.version();
    let filters = Version(major, minor).filters();
    assert_eq!(world.plain("web").await.is_ok(), filters, "only newer servers can tell pods apart");
    let Ran { stdout: status, .. } = world.run(&["status"]).await;
    // The lines of its table are broken where they are long.
    let status = status.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = if filters { "all others do" } else { "no pod starts, but for those of" };
    assert!(status.contains(words), "{status}");

    // What the old servers are for: only namespaces that say so.
    let _stand_in = world.stand_in(None).await;
    eventually("a replica is back", SOON, || async { world.admit("web").await.ok() }).await;
    world.done(&["upgrade", "--namespaces-opt-in"]).await;
    let why = world.admit("web").await.unwrap_err();
    assert_eq!(why, "not expanded", "the namespace did not opt in");
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let label = json!({"metadata": {"labels": {names::NAMESPACE_LABEL: names::ENABLED}}});
    namespaces.patch("web", &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    eventually("the label is in force", SOON, || async { world.admit("web").await.ok() }).await;
}

/// What a program prints without a cluster.
fn printed(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> String {
    let output = Command::new(program).env("KUBECONFIG", "/nowhere").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The objects that install makes for a version, as YAML.
fn manifests(version: &str) -> String {
    let args = ["install", "--dry-run=client", "-o", "yaml", "--kubernetes-version", version];
    printed(env!("CARGO_BIN_EXE_kubectl-gmsa"), &args)
}

#[test]
fn kustomize_builds_what_install_makes() {
    let test = "kustomize_builds_what_install_makes";
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let objects = |text: &str| {
        let documents = gmsa_cluster::manifests::parse("-", text).into_iter();
        let mut objects: Vec<Value> = documents.map(|one| one.unwrap().into_value()).collect();
        // Kustomize has an order of its own.
        objects.sort_by_key(|one| format!("{} {}", one["kind"], one["metadata"]["name"]));
        objects
    };
    for (version, directories) in [("1.30", &["base", "guard"][..]), ("1.20", &["legacy"])] {
        let rendered = |directory: &&str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(directory);
            format!("---\n{}", printed(&kubectl, &["kustomize", path.to_str().unwrap()]))
        };
        let built = objects(&directories.iter().map(rendered).collect::<Vec<_>>().concat());
        assert!(built.len() > 10, "{built:?}");
        assert_eq!(built, objects(&manifests(version)), "{version}");
    }
}

#[tokio::test]
async fn manifests_need_no_cluster_and_are_those_in_deploy() {
    let newer = ["base/server.yaml", "base/webhooks.yaml", "guard/guard.yaml"];
    let older = ["legacy/server.yaml", "legacy/webhooks.yaml"];
    for (version, files) in [("1.30", &newer[..]), ("1.20", &older)] {
        let read = |file: &&str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file);
            let text = std::fs::read_to_string(path).unwrap();
            text.split_once('\n').unwrap().1.to_owned()
        };
        let kept = files.iter().map(read).collect::<Vec<_>>().concat();
        assert_eq!(manifests(version), kept, "{version}");
    }
    let ran = run(&["install", "--dry-run=client", "--kubernetes-version", "1.19"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("older than 1.20"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_comes_and_goes_with_its_option() {
    let Some(world) = World::new("the_audit_comes_and_goes_with_its_option").await else {
        return;
    };
    let bad = world.run(&["install", "--audit", "--audit-schedule", "daily"]).await;
    assert_eq!(bad.code, 2, "nothing is begun with a schedule that is none");
    assert!(bad.stderr.contains("\"daily\" is not a schedule"));
    let _stand_in = world.stand_in(None).await;
    let count = |text: &str, word: &str| {
        let ends = [names::AUDIT, names::AUDIT_RESULTS].map(|name| format!("/{name} {word}"));
        text.lines().filter(|line| ends.iter().any(|end| line.ends_with(end))).count()
    };
    // Rare, so that the stand-in never meets a pod of it.
    let with = ["install", "--audit", "--audit-schedule", "0 0 1 1 *"];
    let installed = world.done(&with).await;
    assert_eq!(count(&installed, "created"), 8, "{installed}");
    let status = world.done(&["status"]).await;
    assert!(status.contains("drift"), "{status}");
    // Omitted options keep their value, the schedule too.
    let again = world.done(&["install"]).await;
    assert_eq!(count(&again, "unchanged"), 8, "{again}");
    // A result, as the audit keeps it.
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"errors": "0"},
        "metadata": {"name": names::AUDIT, "namespace": names::NAME,
            "labels": {names::PART_OF.0: names::PART_OF.1}}});
    world.apply(&map).await;
    let dry = world.done(&["install", "--audit=false", "--dry-run=server"]).await;
    assert_eq!(count(&dry, "deleted (server dry run)"), 8, "{dry}");
    let gone = world.done(&["install", "--audit=false"]).await;
    assert_eq!(count(&gone, "deleted"), 8, "{gone}");
    world.done(&with).await;
    let removed = world.done(&["uninstall", "--yes"]).await;
    assert_eq!(count(&removed, "deleted"), 9, "with its results: {removed}");
    assert!(world.live(&map).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn early_warnings_come_and_go_with_their_option() {
    let Some(world) = World::new("early_warnings_come_and_go_with_their_option").await else {
        return;
    };
    let _stand_in = world.stand_in(None).await;
    let name = names::EARLY_WARNINGS;
    let installed = world.done(&["install", "--early-warnings"]).await;
    let lines = |text: &str, word: &str| {
        let end = format!("/{name} {word}");
        text.lines().filter(|line| line.ends_with(&end)).count()
    };
    assert_eq!(lines(&installed, "created"), 3, "{installed}");
    let status = world.done(&["status"]).await;
    assert!(status.contains("early warnings among them"), "{status}");
    // The page of `report` says the same.
    let files = tempfile::tempdir().unwrap();
    let page = files.path().join("report.html");
    let code = world.run(&["report", "--out", page.to_str().unwrap()]).await.code;
    let page = std::fs::read_to_string(page).unwrap();
    for id in [
        "webhook-replicas",
        "webhook-configured",
        "webhook-failure-policy",
        "webhook-certificate",
        "webhook-ca-bundle",
        "webhook-drift",
    ] {
        let row = format!("<th scope=\"row\">{id}</th><td><span class=\"badge ok\">ok</span>");
        assert!(page.contains(&row), "{id}: {page}");
    }
    assert_eq!(code, 0, "{page}");
    // The server keeps the CA bundle of this configuration too.
    let configurations: Api<
        k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration,
    > = Api::all(world.client.clone());
    eventually("the CA bundle", SOON, || async {
        let webhooks = configurations.get(name).await.unwrap().webhooks.unwrap();
        assert_eq!(webhooks.len(), 2);
        webhooks.iter().all(|one| one.client_config.ca_bundle.is_some()).then_some(())
    })
    .await;
    let bundle = json!({"webhooks": [{"name": "warn.gmsa-webhook.kube-gmsa.dev",
        "clientConfig": {"caBundle": null}}]});
    configurations.patch(name, &PatchParams::default(), &Patch::Strategic(bundle)).await.unwrap();
    eventually("the CA bundle is restored", SOON, || async {
        let webhooks = configurations.get(name).await.unwrap().webhooks.unwrap();
        webhooks.iter().all(|one| one.client_config.ca_bundle.is_some()).then_some(())
    })
    .await;

    // Omitted options keep their value; what is switched off is deleted.
    let again = world.done(&["install"]).await;
    assert_eq!(lines(&again, "unchanged"), 3, "{again}");
    let without = ["install", "--early-warnings=false"];
    let dry = world.done(&[without[0], without[1], "--dry-run=server"]).await;
    assert_eq!(lines(&dry, "deleted (server dry run)"), 3, "{dry}");
    let gone = world.done(&without).await;
    assert_eq!(lines(&gone, "deleted"), 3, "{gone}");
    assert!(configurations.get_opt(name).await.unwrap().is_none());
    world.done(&["status"]).await;

    world.done(&["install", "--early-warnings"]).await;
    let removed = world.done(&["uninstall", "--yes"]).await;
    assert_eq!(lines(&removed, "deleted"), 3, "{removed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_cannot_be_created_say_why_in_install_status_and_doctor() {
    let test = "pods_that_cannot_be_created_say_why_in_install_status_and_doctor";
    let Some(world) = World::new(test).await else { return };
    world.bare_namespace(names::NAME, &json!({})).await;
    let quotas: Api<ResourceQuota> = Api::namespaced(world.client.clone(), names::NAME);
    let quota = json!({"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
    let quota = serde_json::from_value(quota).unwrap();
    quotas.create(&PostParams::default(), &quota).await.unwrap();
    // The API server takes a moment to heed a quota.
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), names::NAME);
    let pod = json!({"metadata": {"name": "probe"}, "spec": {"containers": [
        {"name": "a", "image": "i"}]}});
    let pod: Pod = serde_json::from_value(pod).unwrap();
    let params = PostParams { dry_run: true, ..Default::default() };
    eventually("the quota counts", SOON, || async {
        let refused = pods.create(&params, &pod).await.err()?;
        refused.to_string().contains("exceeded quota").then_some(())
    })
    .await;
    let began = std::time::Instant::now();
    let Ran { code, stderr, .. } = world.run(&["install", "--wait=600"]).await;
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("its pods cannot be created: "), "{stderr}");
    assert!(began.elapsed() < SOON, "it waited for what does not change: {stderr}");
    for command in ["status", "doctor"] {
        let Ran { code, stdout: said, .. } = world.run(&[command]).await;
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("its pods cannot be created: "), "{command}: {said}");
        assert!(said.contains("quota: none"), "{command}: {said}");
    }

    // The controller tries ever more rarely, so the same command has it try when the cause is gone.
    let sets: Api<ReplicaSet> = Api::namespaced(world.client.clone(), names::NAME);
    let sets = sets.list(&ListParams::default()).await.unwrap().items;
    assert!(sets[0].annotations().contains_key(names::TRIED_AGAIN), "{sets:?}");
    quotas.delete("none", &DeleteParams::default()).await.unwrap();
    eventually("no quota counts", SOON, || async { pods.create(&params, &pod).await.ok() }).await;
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn install_goes_on_when_the_api_server_is_back() {
    let test = "install_goes_on_when_the_api_server_is_back";
    let Some(world) = World::new(test).await else { return };
    let port = world.plane.port();
    let proxy = TcpProxy::start(([127, 0, 0, 1], port).into()).await;
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    let direct = std::fs::read_to_string(world.plane.kubeconfig_path()).unwrap();
    let through = direct.replace(&format!(":{port}"), &format!(":{}", proxy.address.port()));
    assert_ne!(through, direct, "the kubeconfig names no port {port}");
    std::fs::write(&kubeconfig, through).unwrap();

    let said = directory.path().join("stderr");
    let said = said.as_path();
    let mut install = std::process::Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"))
        .arg("install")
        .env("KUBECONFIG", &kubeconfig)
        .stderr(std::fs::File::create(said).unwrap())
        .spawn()
        .unwrap();
    let says = |words: &'static str| async move {
        std::fs::read_to_string(said).unwrap().contains(words).then_some(())
    };
    eventually("it waits for replicas", SOON, || says("waiting: 0 of 2 replicas")).await;
    proxy.cut();
    eventually("it waits for the API server", SOON, || says("waiting: failed to")).await;
    proxy.resume();
    let _stand_in = world.stand_in(None).await;
    let status = tokio::task::spawn_blocking(move || install.wait().unwrap()).await.unwrap();
    let stderr = std::fs::read_to_string(said).unwrap();
    assert!(status.success(), "{stderr}");
    assert!(stderr.contains("the API server at https://"), "{stderr}");
    world.done(&["status"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overlay_chooses_its_image_and_replicas_and_is_not_called_drifted() {
    let test = "an_overlay_chooses_its_image_and_replicas_and_is_not_called_drifted";
    let Some(world) = World::new(test).await else { return };
    let applier = Applier::new(world.client.clone(), "argocd-controller", false);
    for mut object in objects(&Options::default(), world.version()).iter().cloned() {
        if object["kind"] == "Deployment" {
            object["spec"]["replicas"] = json!(3);
            object["spec"]["template"]["spec"]["containers"][0]["image"] =
                json!("mirror/webhook:1");
        }
        applier.apply(&object).await.unwrap();
    }
    let drift = || async {
        let (_, report) = world.report(&["status"]).await;
        let outcomes = report["outcomes"].as_array().unwrap();
        outcomes.iter().find(|one| one["check"] == "webhook-drift").unwrap().clone()
    };
    let seen = drift().await;
    assert_eq!(seen["state"], "ok", "{seen}");

    let service = format!("/api/v1/namespaces/{0}/services/{0}", names::NAME);
    world.patch(&service, &json!({"metadata": {"labels": {"app.kubernetes.io/name": "x"}}})).await;
    let seen = drift().await;
    assert_eq!(seen["state"], "warning", "{seen}");
    assert!(seen["message"].as_str().unwrap().contains("service/gmsa-webhook ("), "{seen}");
    let next = seen["next"].as_str().unwrap();
    assert!(next.contains("the manifests that argocd-controller applied"), "{next}");
}
