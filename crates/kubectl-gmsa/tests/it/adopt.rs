//! Taking over from windows-gmsa on a real control plane, while pods are created all the time.

use std::path::Path;
use std::sync::Arc;

use crate::support::windows_gmsa::{
    Load, Running, by_chart, by_rancher, by_script, certificate, chart, definition, plant,
};
use crate::support::world::{SOON, World};
use crate::support::{Ran, webhook};
use gmsa_core::names::{INDEX_KEEPER, NAME, TAKEOVER};
use gmsa_testkit::control_plane;
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::{StandIn, Workload};
use gmsa_testkit::tools;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

/// Stands in for the pods of the temporary installation.
async fn temporary(world: &World) -> StandIn {
    let workload = Workload { namespace: TAKEOVER.to_owned(), ..webhook() };
    StandIn::start(&world.plane, workload).await
}

/// The object without what the server and its controllers keep.
async fn whole(world: &World, object: &Value) -> Value {
    let mut live = world.live(object).await.unwrap_or_else(|| panic!("{object} is gone"));
    live.as_object_mut().unwrap().remove("status");
    live["metadata"].as_object_mut().unwrap().retain(|key, _| {
        !["managedFields", "resourceVersion", "generation", "annotations"].contains(&key.as_str())
    });
    live
}

/// What identifies a version of an object.
fn version(object: &Value) -> (Value, Value) {
    (object["metadata"]["uid"].clone(), object["metadata"]["resourceVersion"].clone())
}

/// Namespaces, a credential spec, rights and workloads, as they are before anybody installs ours:
/// `web` may, `other` may not, and `legacy` has opted out by its label.
async fn users(world: &World, label: &Value) {
    plant(world, &[definition()]).await;
    world.bare_namespace("web", &json!({})).await;
    world.bare_namespace("other", &json!({})).await;
    world.bare_namespace("legacy", label).await;
    eventually("the definition is served", SOON, || async {
        let spec = objects::credential_spec("spec", "WebApp1");
        let applier =
            gmsa_cluster::api::apply::Applier::new(world.client.clone(), "another", false);
        applier.apply(&spec).await.ok()
    })
    .await;
    let context = objects::gmsa(Some("spec"), None);
    let pod = |namespace: &str| objects::pod(namespace, "web", &context);
    plant(
        world,
        &[
            objects::role("spec"),
            objects::binding("spec", "web", "default"),
            objects::deployment("web", "right", &pod("web")),
            objects::deployment("other", "sneaky", &pod("other")),
            objects::deployment("legacy", "unseen", &pod("legacy")),
        ],
    )
    .await;
    // Nothing checks it yet.
    let alone: Pod = serde_json::from_value(objects::pod("other", "alone", &context)).unwrap();
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), "other");
    pods.create(&PostParams::default(), &alone).await.unwrap();
}

fn spec() -> Value {
    objects::credential_spec("spec", "WebApp1")
}

/// Whether the pods of a namespace are not looked at.
/// Whether no webhook sees the namespace's pods. Once there is a guard, that lets none of them use a GMSA.
async fn is_excluded(world: &World, namespace: &str) -> bool {
    let Err(why) = world.admit(namespace).await else { return false };
    why == "not expanded" || why.contains("is left out by the GMSA webhook")
}

async fn assert_cleared_away(world: &World) {
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    eventually("the temporary namespace is gone", SOON, || async {
        namespaces.get_opt(TAKEOVER).await.unwrap().is_none().then_some(())
    })
    .await;
    for kind in ["ClusterRole", "ClusterRoleBinding"] {
        let object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": TAKEOVER}});
        assert!(world.live(&object).await.is_none(), "{object}");
    }
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
            "metadata": {"name": TAKEOVER}});
        assert!(world.live(&object).await.is_none(), "{object}");
    }
}

/// The script's names are ours: nothing can come up beside them but a temporary installation. What
/// is interrupted at any step leaves pods checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_scripts_installation_in_steps_that_fail() {
    let test = "from_the_scripts_installation_in_steps_that_fail";
    let Some(world) = World::new(test).await else { return };
    let world = Arc::new(world);
    users(&world, &json!({"gmsa-webhook": "disabled"})).await;
    // The definition came with a release of its own.
    let mut of_release = definition();
    of_release["metadata"]["annotations"]["meta.helm.sh/release-name"] = json!("gmsa-crd");
    of_release["metadata"]["annotations"]["meta.helm.sh/release-namespace"] = json!("default");
    plant(&world, &[of_release.clone()]).await;
    let (files, bundle) = certificate(NAME, NAME);
    let (objects, configurations) = by_script(&bundle);
    plant(&world, &objects).await;
    let mut old = Running::start(&world, NAME, NAME, files).await;
    plant(&world, &configurations).await;
    eventually("the old one answers", SOON, || async { world.admit("web").await.ok() }).await;
    let spec_before = version(&world.live(&spec()).await.unwrap());
    let all: Vec<Value> = objects.iter().chain(&configurations).cloned().collect();
    let mut before = Vec::new();
    for object in &all {
        before.push(whole(&world, object).await);
    }

    // Without being told to, it is left alone.
    let ran = world.run(&["install"]).await;
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("--adopt"), "{ran:?}");

    // What would be denied is listed, and stops it.
    for args in [&["install", "--adopt", "--dry-run=server"][..], &["install", "--adopt", "--yes"]]
    {
        let Ran { code, stdout, stderr } = world.run(args).await;
        assert_eq!(code, 1, "{stderr}");
        assert!(stdout.contains("Deployment other/sneaky would be denied"), "{stdout}");
        assert!(stdout.contains("Pod other/alone would be denied"), "{stdout}");
        assert!(stdout.contains("kubectl gmsa grant spec --to other/default"), "{stdout}");
        assert!(!stdout.contains("web/right"), "{stdout}");
        // Where no webhook looks, the guard denies.
        let unseen = stdout.lines().find(|line| line.contains("Deployment unseen"));
        assert_eq!(unseen.is_some(), world.plane.at_least(1, 30), "{stdout}");
        if let Some(unseen) = unseen {
            assert!(unseen.starts_with("Deployment unseen, Pod unseen-"), "{stdout}");
            assert!(unseen.contains(" of Namespace legacy would be denied"), "{stdout}");
        }
        assert!(stdout.contains("namespace/legacy stays excluded (gmsa-webhook=disabled)"));
        assert!(stderr.contains("--accept-denials"), "{stderr}");
        let says = stdout.contains("secret/gmsa-webhook deleted (server dry run)");
        assert_eq!(says, args.contains(&"--dry-run=server"), "{stdout}");
    }
    let ran = world.run(&["install", "--adopt", "--accept-denials"]).await;
    assert_eq!(ran.code, 2, "without a terminal it is not asked");
    for (object, was) in all.iter().zip(&before) {
        assert_eq!(&whole(&world, object).await, was);
    }
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    assert!(namespaces.get_opt(TAKEOVER).await.unwrap().is_none());

    let load = Load::start(&world);
    let takeover = ["install", "--adopt", "--accept-denials", "--yes", "--settle=1", "--wait=4"];
    // No pod of the temporary installation comes up: the old one goes on.
    let ran = world.run(&takeover).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("record of the release default/gmsa-crd was not found"));
    for (object, was) in all.iter().zip(&before) {
        assert_eq!(&whole(&world, object).await, was);
    }
    for command in ["install", "uninstall"] {
        let ran = world.run(&[command]).await;
        assert!(ran.stderr.contains("a takeover was interrupted"), "{ran:?}");
    }
    // None of ours comes up when the old one is gone: the temporary one goes on.
    let _temporary = temporary(&world).await;
    let Ran { code, stdout, stderr } = world.run(&[&takeover[..5], &["--wait=60"]].concat()).await;
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("no replica of gmsa-webhook/gmsa-webhook"), "{stderr}");
    assert!(stdout.contains("deployment/gmsa-webhook deleted"), "{stdout}");
    old.ended().await;
    // And then it comes to its end.
    let _stand_in = world.stand_in(None).await;
    world.done(&[&takeover[..5], &["--wait=60"]].concat()).await;
    load.assert_unharmed().await;

    assert_cleared_away(&world).await;
    assert_eq!(version(&world.live(&spec()).await.unwrap()), spec_before);
    for object in &objects {
        let live = world.live(object).await;
        let ours = live.as_ref().is_none_or(|live| {
            live["metadata"]["labels"]["app.kubernetes.io/part-of"] == "kube-gmsa"
        });
        assert!(ours, "{object} is left: {live:?}");
    }
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    let nothing =
        world.done(&["install", "--adopt", "--accept-denials", "--yes", "--settle=0"]).await;
    assert!(!nothing.contains("deleted\n"), "{nothing}");
    let definition = world.live(&of_release).await.unwrap();
    assert_eq!(definition["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    assert_only_exclusions(&world).await;
    assert!(is_excluded(&world, "legacy").await);
    assert!(world.admit("other").await.unwrap_err().contains("is not authorized"));
}

fn helm(helm: &Path, world: &World, args: &[&str]) -> Result<String, String> {
    let kubeconfig = format!("--kubeconfig={}", world.plane.kubeconfig_path().display());
    crate::support::helm::run(helm, &[args, &[kubeconfig.as_str()]].concat())
}

/// A release of the chart, with a credential spec in it, that is uninstalled afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_release_of_the_chart() {
    let test = "from_a_release_of_the_chart";
    let Some(program) = tools::find(test, "helm") else { return };
    let Some(world) = World::new(test).await else { return };
    let world = Arc::new(world);
    let (namespace, release) = ("windows-gmsa", "gmsa");
    users(&world, &json!({"windows.k8s.io/disabled": "true"})).await;
    // Newer servers make this label themselves.
    world.bare_namespace(namespace, &json!({"kubernetes.io/metadata.name": namespace})).await;
    let (files, bundle) = certificate(namespace, release);
    let made = objects::credential_spec("made-by-chart", "WebApp2");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata":
        {"name": "gmsa-server-cert", "namespace": namespace}, "data": {"tls.key": "a2V5"}});
    plant(&world, std::slice::from_ref(&secret)).await;
    let mut objects = by_chart(namespace, release, &bundle);
    // The configurations come when the server runs.
    let configurations = objects.split_off(objects.len() - 2);
    objects.push(made.clone());
    let (first, rest) = (chart("gmsa", &objects), configurations.clone());
    let path = |chart: &tempfile::TempDir| chart.path().to_str().unwrap().to_owned();
    // Helm checks what it sends against the schema, which comes a while after readiness.
    eventually("the API server serves its schema", SOON, || async {
        let request =
            kube::api::Request::new("/openapi").get("v2", &kube::api::GetParams::default()).ok()?;
        world.client.request_text(request).await.ok()
    })
    .await;
    helm(&program, &world, &["install", release, &path(&first), "-n", namespace]).unwrap();
    let mut old = Running::start(&world, namespace, release, files).await;
    let whole = chart("gmsa", &objects.iter().chain(&rest).cloned().collect::<Vec<_>>());
    helm(&program, &world, &["upgrade", release, &path(&whole), "-n", namespace]).unwrap();
    eventually("the old one answers", SOON, || async { world.admit("web").await.ok() }).await;
    assert!(is_excluded(&world, "legacy").await);
    let before: Vec<_> = [
        world.live(&spec()).await.unwrap(),
        world.live(&made).await.unwrap(),
        world.live(&secret).await.unwrap(),
    ]
    .iter()
    .map(version)
    .collect();

    // A binding of a user that refers to the chart's role.
    let mut shared = objects::binding("spec", "web", "default");
    shared["metadata"]["name"] = json!("by-the-charts-role");
    shared["roleRef"]["name"] = json!(release);
    plant(&world, &[shared]).await;

    let Ran { stdout, .. } = world.run(&["install", "--adopt", "--dry-run=server"]).await;
    assert!(stdout.contains("secret/sh.helm.release.v1.gmsa.v2 deleted (server dry run)"));
    assert!(stdout.contains("namespace/legacy stays excluded (windows.k8s.io/disabled=true); to end it: kubectl label namespace legacy windows.k8s.io/disabled-"), "{stdout}");
    let _stand_in = world.stand_in(None).await;
    let load = Load::start(&world);
    let Ran { code, stdout, stderr } = world
        .run(&["install", "--adopt", "--accept-denials", "--yes", "--settle=1", "--wait=60"])
        .await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    for stays in
        ["Secret windows-gmsa/gmsa-server-cert", "ClusterRole gmsa", "Namespace windows-gmsa"]
    {
        assert!(stderr.contains(&format!("{stays} stays: ")), "{stderr}");
    }
    assert!(!stdout.contains("temporary"), "the names are others: {stdout}");
    old.ended().await;
    load.assert_unharmed().await;

    assert_cleared_away(&world).await;
    for object in objects.iter().chain(&configurations) {
        let is_role = object["kind"] == "ClusterRole" && object["metadata"]["name"] == release;
        let stays = *object == made || is_role;
        assert_eq!(world.live(object).await.is_some(), stays, "{object}");
    }
    // Helm has nothing that it could delete.
    let failed = helm(&program, &world, &["uninstall", release, "-n", namespace]).unwrap_err();
    assert!(failed.contains("not found"), "{failed}");
    let after: Vec<_> = [
        world.live(&spec()).await.unwrap(),
        world.live(&made).await.unwrap(),
        world.live(&secret).await.unwrap(),
    ]
    .iter()
    .map(version)
    .collect();
    assert_eq!(after, before);

    // What it was set to, and who had opted out, stays so.
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    assert!(again.contains("clusterrole/gmsa-webhook-viewer unchanged"), "{again}");
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAME}});
    let deployment = world.live(&deployment).await.unwrap();
    let args = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    assert!(args.to_string().contains("--random-hostname=true"), "{args}");
    assert!(is_excluded(&world, "legacy").await);
    assert_only_exclusions(&world).await;

    // Ending it tells who is denied from then on.
    let end = ["upgrade", "--end-exclusions"];
    let Ran { code, stdout, .. } = world.run(&end).await;
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("Deployment legacy/unseen would be denied"), "{stdout}");
    assert!(is_excluded(&world, "legacy").await);
    world.done(&[&end[..], &["--accept-denials"]].concat()).await;
    eventually("the namespace is looked at", SOON, || async {
        world.admit("legacy").await.unwrap_err().contains("is not authorized").then_some(())
    })
    .await;
}

/// Rancher's release, and the definition in a release of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_ranchers_charts_with_the_definition_in_a_release() {
    let test = "from_ranchers_charts_with_the_definition_in_a_release";
    let Some(program) = tools::find(test, "helm") else { return };
    let Some(world) = World::new(test).await else { return };
    eventually("the API server serves its schema", SOON, || async {
        let request =
            kube::api::Request::new("/openapi").get("v2", &kube::api::GetParams::default()).ok()?;
        world.client.request_text(request).await.ok()
    })
    .await;
    let namespace = "cattle-windows-gmsa-system";
    world.bare_namespace(namespace, &json!({"kubernetes.io/metadata.name": namespace})).await;
    let of_definition = chart("rancher-gmsa-webhook-crd", &[definition()]);
    let path = |chart: &tempfile::TempDir| chart.path().to_str().unwrap().to_owned();
    let crd = "rancher-gmsa-webhook-crd";
    helm(&program, &world, &["install", crd, &path(&of_definition), "-n", namespace]).unwrap();
    world.bare_namespace("web", &json!({})).await;
    for object in [spec(), objects::role("spec"), objects::binding("spec", "web", "default")] {
        world.apply(&object).await;
    }
    let spec_before = version(&world.live(&spec()).await.unwrap());
    let (files, bundle) = certificate(namespace, "rancher-gmsa-webhook");
    let new = by_rancher(namespace, "rancher-gmsa-webhook", &bundle, "rancher-gmsa-webhook-0.2.0");
    let (base, configurations) = new.split_at(new.len() - 2);
    plant(&world, base).await;
    let mut running = Running::start(&world, namespace, "rancher-gmsa-webhook", files).await;
    plant(&world, configurations).await;
    eventually("Rancher's answers", SOON, || async { world.admit("web").await.ok() }).await;

    let dry = world.run(&["install", "--adopt", "--dry-run=server"]).await;
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    for words in [
        "networkpolicy/default-allow-all deleted (server dry run)",
        "secret/sh.helm.release.v1.rancher-gmsa-webhook-crd.v1 deleted (server dry run)",
    ] {
        assert!(dry.stdout.contains(words), "{words}: {}", dry.stdout);
    }
    let warning = "Helm's release cattle-windows-gmsa-system/rancher-gmsa-webhook-crd holds the \
                   resource definition: uninstalling it would delete every credential spec";
    assert!(dry.stderr.contains(warning), "{}", dry.stderr);

    let _stand_in = world.stand_in(None).await;
    let takeover = ["install", "--adopt", "--yes", "--settle=1", "--wait=60"];
    let ran = world.run(&takeover).await;
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    running.ended().await;
    for object in &new {
        assert!(world.live(object).await.is_none(), "{object} is left");
    }
    let failed = helm(&program, &world, &["uninstall", crd, "-n", namespace]).unwrap_err();
    assert!(failed.contains("not found"), "{failed}");
    assert_eq!(version(&world.live(&spec()).await.unwrap()), spec_before);
    let definition = world.live(&definition()).await.unwrap();
    let annotations = &definition["metadata"]["annotations"];
    assert_eq!(annotations["helm.sh/resource-policy"], "keep");
    assert!(annotations["meta.helm.sh/release-name"].is_null(), "{annotations}");
    world.admit("web").await.unwrap();
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
}

/// AKS restores what is removed: it has to be switched off there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_webhook_of_aks_is_left_alone_with_what_to_do() {
    let test = "the_webhook_of_aks_is_left_alone_with_what_to_do";
    let Some(world) = World::start(test, control_plane::Options::default()).await else { return };
    let (_files, bundle) = certificate("kube-system", "windows-gmsa-webhook");
    let name = "windows-gmsa-webhook";
    let objects = by_chart("kube-system", name, &bundle);
    let configurations = &objects[objects.len() - 2..];
    plant(&world, configurations).await;
    let refused = async || {
        let Ran { code, stderr, .. } = world.run(&["install", "--adopt", "--yes"]).await;
        assert_eq!(code, 3, "{stderr}");
        for words in [
            "AKS manages MutatingWebhookConfiguration windows-gmsa-webhook and \
             ValidatingWebhookConfiguration windows-gmsa-webhook",
            "az aks update --resource-group GROUP --name CLUSTER --disable-windows-gmsa",
            "kubectl get gmsacredentialspecs -o yaml",
            "Nothing was changed",
        ] {
            assert!(stderr.contains(words), "{words}: {stderr}");
        }
        for configuration in configurations {
            assert!(world.live(configuration).await.is_some(), "{configuration}");
        }
    };
    // By the name and namespace of its Service.
    refused().await;
    // By the mark of the addon manager, wherever it is.
    for configuration in configurations {
        world.applier().delete(configuration).await.unwrap();
        let mut marked = configuration.clone();
        marked["metadata"]["labels"]["addonmanager.kubernetes.io/mode"] = json!("Reconcile");
        let hook = &mut marked["webhooks"][0];
        hook["name"] = json!("a.example.com");
        hook["clientConfig"]["service"]["namespace"] = json!("elsewhere");
        plant(&world, &[marked]).await;
    }
    refused().await;
    let ran = world.run(&["install"]).await;
    assert!(ran.stderr.contains("--adopt"), "{}", ran.stderr);
}

/// Nobody answers for the old one, so that it refuses every pod, ours too: what takes over comes up
/// where it does not look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_one_that_is_down() {
    let Some(world) = World::new("from_one_that_is_down").await else { return };
    take_over_from_one_that_is_down(&world, &["--settle=0"]).await;
}

/// The same by the policy engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_one_that_is_down_to_the_policies() {
    let Some(world) = World::since(36, "from_one_that_is_down_to_the_policies", NO_ENGINE).await
    else {
        return;
    };
    let args = ["--engine=policy", "--random-hostname=false", "--settle=3"];
    take_over_from_one_that_is_down(&world, &args).await;
    assert_policies_decide(&world).await;
}

async fn take_over_from_one_that_is_down(world: &World, args: &[&str]) {
    users(world, &json!({})).await;
    world.bare_namespace("gmsa", &json!({"kubernetes.io/metadata.name": "gmsa"})).await;
    let (_files, bundle) = certificate("gmsa", "gmsa");
    let objects = by_rancher("gmsa", "gmsa", &bundle, "rancher-windows-gmsa-3.0.0");
    // Something else runs as its service account.
    let mut sidekick = objects::deployment(
        "gmsa",
        "sidekick",
        &json!({"spec":
        {"containers": [{"name": "sidekick", "image": "sidekick"}]}}),
    );
    sidekick["spec"]["template"]["spec"]["serviceAccountName"] = json!("gmsa");
    plant(world, &[sidekick]).await;
    plant(world, &objects).await;
    let why = world.plain("web").await.unwrap_err();
    assert!(why.contains("failed calling webhook"), "{why}");

    let _stand_in = world.stand_in(None).await;
    let _temporary = temporary(world).await;
    let takeover = [&["install", "--adopt"][..], args].concat();
    let dry = world.run(&[&takeover[..], &["--dry-run=server"]].concat()).await;
    assert!(dry.stdout.contains(
        "deployment/gmsa-webhook in gmsa-webhook-takeover created for the time of the takeover"
    ));
    world.done(&[&takeover[..], &["--accept-denials", "--yes"]].concat()).await;
    assert_cleared_away(world).await;
    for object in &objects {
        let kind = object["kind"].as_str().unwrap();
        let of_account = ["ServiceAccount", "ClusterRoleBinding"].contains(&kind)
            || (kind == "ClusterRole" && object["metadata"]["name"] == "gmsa");
        assert_eq!(world.live(object).await.is_some(), of_account, "{object}");
    }
    world.plain("web").await.unwrap();
    world.admit("web").await.unwrap();
    assert!(world.admit("other").await.unwrap_err().contains("is not authorized"));
    world.done(&["status"]).await;
}

const NO_ENGINE: &str = "this API server changes no pods by policies; see docs/engine.md";

/// No webhook of either installation is sent pods, and the policies are whole.
async fn assert_policies_decide(world: &World) {
    for kind in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
        let path = format!("/apis/admissionregistration.k8s.io/v1/{kind}");
        let found = world.get(&path).await["items"].clone();
        let names: Vec<&str> = found
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["metadata"]["name"].as_str())
            .collect();
        let is_keeper = kind.starts_with("validating");
        assert_eq!(names, if is_keeper { vec![INDEX_KEEPER] } else { Vec::new() });
    }
    // What the old webhook left out is left out still, and status says so if something uses a GMSA there.
    let status = world.run(&["status"]).await.stdout;
    let mut wrong = status.lines().filter(|row| row.contains(" problem "));
    assert!(wrong.all(|row| row.starts_with("webhook-exclusions")), "{status}");
    for id in ["engine-whole", "engine-index"] {
        let row = status.lines().find(|row| row.starts_with(id)).unwrap();
        assert!(row.contains(" ok "), "{status}");
    }
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    assert!(again.contains("mutatingadmissionpolicy/gmsa-engine-expand unchanged"), "{again}");
}

/// The policy engine takes over from the script's installation, whose names are ours; what is interrupted
/// leaves pods checked, and goes on with the same engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_scripts_installation_to_the_policies() {
    let test = "from_the_scripts_installation_to_the_policies";
    let Some(world) = World::since(36, test, NO_ENGINE).await else { return };
    let world = Arc::new(world);
    users(&world, &json!({"gmsa-webhook": "disabled"})).await;
    let (files, bundle) = certificate(NAME, NAME);
    let (objects, configurations) = by_script(&bundle);
    plant(&world, &objects).await;
    let mut old = Running::start(&world, NAME, NAME, files).await;
    plant(&world, &configurations).await;
    eventually("the old one answers", SOON, || async { world.admit("web").await.ok() }).await;
    let spec_before = version(&world.live(&spec()).await.unwrap());

    let ran = world.run(&["install", "--adopt", "--engine=policy", "--dry-run=server"]).await;
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for words in [
        "Deployment other/sneaky would be denied",
        // Where the policies do not expand nothing may be used.
        " of Namespace legacy would be denied",
        "mutatingadmissionpolicy/gmsa-engine-expand created (server dry run)",
        "deployment/gmsa-webhook deleted (server dry run)",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(!ran.stderr.contains("--guard=false"), "{}", ran.stderr);

    let load = Load::start(&world);
    let takeover = ["install", "--adopt", "--accept-denials", "--yes", "--settle=5"];
    // Nothing of the temporary installation comes up.
    let first = [&takeover[..], &["--engine=policy", "--wait=4"]].concat();
    let ran = world.run(&first).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    for configuration in &configurations {
        assert!(world.live(configuration).await.is_some(), "{configuration}");
    }
    let _temporary = temporary(&world).await;
    let _stand_in = world.stand_in(None).await;
    let ran = world.run(&takeover).await;
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("the policies answer, and have taken over"), "{}", ran.stderr);
    old.ended().await;
    load.assert_unharmed().await;

    assert_cleared_away(&world).await;
    assert_policies_decide(&world).await;
    assert_eq!(version(&world.live(&spec()).await.unwrap()), spec_before);
    assert!(world.admit("other").await.unwrap_err().contains("is not authorized"));
    assert!(world.admit("legacy").await.unwrap_err().contains("is left out by the GMSA policies"));
}

/// The names of the chart's installation are others: nothing has to answer meanwhile. Ours was there too,
/// with the webhook, and ends with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_charts_installation_and_our_webhook_to_the_policies() {
    let test = "from_the_charts_installation_and_our_webhook_to_the_policies";
    let Some(world) = World::since(36, test, NO_ENGINE).await else { return };
    let world = Arc::new(world);
    let (namespace, release) = ("windows-gmsa", "gmsa");
    users(&world, &json!({"windows.k8s.io/disabled": "true"})).await;
    let _stand_in = world.stand_in(None).await;
    world.done(&["install", "--force-conflicts"]).await;
    world.bare_namespace(namespace, &json!({})).await;
    let (files, bundle) = certificate(namespace, release);
    let mut objects = by_chart(namespace, release, &bundle);
    let configurations = objects.split_off(objects.len() - 2);
    plant(&world, &objects).await;
    let mut old = Running::start(&world, namespace, release, files).await;
    plant(&world, &configurations).await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;

    let takeover =
        ["install", "--adopt", "--accept-denials", "--yes", "--settle=5", "--engine=policy"];
    let load = Load::start(&world);
    let ran = world.run(&takeover).await;
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("temporary"), "the names are others: {}", ran.stdout);
    assert!(ran.stdout.contains(&format!("mutatingwebhookconfiguration/{NAME} deleted")));
    old.ended().await;
    load.assert_unharmed().await;
    assert_cleared_away(&world).await;
    assert_policies_decide(&world).await;
    assert!(world.admit("other").await.unwrap_err().contains("is not authorized"));
}

/// Nothing is wrong but that a namespace that opted out uses a GMSA.
async fn assert_only_exclusions(world: &World) {
    let (_, report) = world.report(&["status"]).await;
    let problems = report["outcomes"].as_array().unwrap().iter();
    let mut problems = problems.filter(|one| one["state"] == "problem").peekable();
    assert!(problems.peek().is_some(), "{report:#}");
    assert!(problems.all(|one| one["check"] == "webhook-exclusions"), "{report:#}");
}

/// What has our name, or looks like a webhook for GMSA, and is none of windows-gmsa's stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_known_is_not_removed() {
    let Some(world) = World::new("what_is_not_known_is_not_removed").await else { return };
    let (_files, bundle) = certificate(NAME, NAME);
    let (objects, mut configurations) = by_script(&bundle);
    plant(&world, &objects).await;
    for configuration in &mut configurations {
        let mut another = configuration["webhooks"][0].clone();
        another["name"] = json!("names.example.com");
        another["failurePolicy"] = json!("Ignore");
        configuration["webhooks"] = json!([another]);
    }
    let refused = async |words: &str| {
        let Ran { code, stderr, .. } = world.run(&["install", "--adopt", "--yes"]).await;
        assert_eq!(code, 3, "{stderr}");
        assert!(stderr.contains(words) && stderr.contains("nothing was changed"), "{stderr}");
    };
    plant(&world, &configurations).await;
    refused("is not a known installation of windows-gmsa").await;
    for configuration in &configurations {
        world.applier().delete(configuration).await.unwrap();
    }
    let mut server = objects[5].clone();
    assert_eq!(server["kind"], "Deployment");
    server["spec"]["template"]["spec"]["containers"][0]["env"] = json!([]);
    plant(&world, &[server.clone()]).await;
    refused("is not a server of windows-gmsa").await;
    assert!(world.live(&server).await.is_some());
}
