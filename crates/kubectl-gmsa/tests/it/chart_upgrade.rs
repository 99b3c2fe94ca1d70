//! A release of the windows-gmsa chart that becomes one of ours, by the real helm on a real control
//! plane. The other chart is met by a chart with the same objects, of which only the pods do not run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::helm::{CHART, Helm};
use crate::support::world::{SOON, World};
use gmsa_core::names::NAME;
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};

/// Values of a user whose credential spec comes from the chart.
const CREDENTIAL: [&str; 7] = [
    "credential.enabled=true",
    "credential.domainJoinConfig.dnsName=contoso.com",
    "credential.domainJoinConfig.dnsTreeName=contoso.com",
    "credential.domainJoinConfig.guid=244818ae-87ac-4fcd-92ec-e79e5252348a",
    "credential.domainJoinConfig.machineAccountName=WebApp_1",
    "credential.domainJoinConfig.netBiosName=CONTOSO",
    "credential.domainJoinConfig.sid=S-1-5-21-2126449477-2524075714-3094792973",
];
const LABELLED: [&str; 2] = ["--set", "legacyNamespacesLabelled=true"];

/// The chart with the objects of the other one, and the definition as that has it: ours without
/// columns and short name, which helm installs and never looks at again.
fn other_chart(directory: &Path) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/windows-gmsa-chart");
    let chart = directory.join("gmsa");
    for name in ["Chart.yaml", "values.yaml", "templates/objects.yaml"] {
        let file = chart.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::copy(data.join(name), file).unwrap();
    }
    let mut definition = definition();
    definition["spec"]["names"].as_object_mut().unwrap().remove("shortNames");
    for version in definition["spec"]["versions"].as_array_mut().unwrap() {
        version.as_object_mut().unwrap().remove("additionalPrinterColumns");
    }
    std::fs::create_dir_all(chart.join("crds")).unwrap();
    std::fs::write(chart.join("crds/crds.yaml"), definition.to_string()).unwrap();
    chart
}

fn definition() -> Value {
    json!(gmsa_cluster::installation::definition::definition())
}

fn sets(values: &[&'static str]) -> Vec<&'static str> {
    values.iter().flat_map(|value| ["--set", *value]).collect()
}

/// An attacker who keeps creating pods with a credential spec that their service account may not use.
struct Intruder {
    stop: Arc<AtomicBool>,
    tries: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Intruder {
    fn start(world: &World) -> Self {
        let (stop, tries) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let pods: Api<Pod> = Api::namespaced(world.client.clone(), "intruder");
        let pod = objects::pod("intruder", "p", &objects::gmsa(Some("spec"), Some("{}")));
        let pod: Pod = serde_json::from_value(pod).unwrap();
        let task = tokio::spawn({
            let (stop, tries) = (stop.clone(), tries.clone());
            async move {
                let dry = PostParams { dry_run: true, ..PostParams::default() };
                while !stop.load(Ordering::Relaxed) {
                    let created = pods.create(&dry, &pod).await;
                    created.expect_err("a pod was admitted unchecked");
                    tries.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { stop, tries, task }
    }

    async fn end(self) {
        let seen = self.tries.load(Ordering::Relaxed);
        eventually("it goes on", SOON, || async {
            (self.tries.load(Ordering::Relaxed) > seen + 5 || self.task.is_finished()).then_some(())
        })
        .await;
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

async fn names(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["spec", "webapp-1"] {
        let spec = objects::credential_spec(name, "x");
        found.extend(world.live(&spec).await.map(|_| name.to_owned()));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_of_the_windows_gmsa_chart_is_upgraded_and_loses_nothing() {
    let test = "a_release_of_the_windows_gmsa_chart_is_upgraded_and_loses_nothing";
    // Helm 3, which made most releases that there are, does not apply on the server's side.
    upgraded(test, "helm", &["--server-side=false"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_made_and_upgraded_by_helm_3_loses_nothing() {
    upgraded("a_release_made_and_upgraded_by_helm_3_loses_nothing", "helm3", &[]).await;
}

async fn upgraded(test: &str, program: &str, installing: &[&str]) {
    let Some(program) = tools::find(test, program) else { return };
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    let helm = Helm::new(program, &world).await;
    let files = tempfile::tempdir().unwrap();
    let other = other_chart(files.path());
    let install = ["install", "gmsa", other.to_str().unwrap()];
    let values = sets(&[&CREDENTIAL[..], &["replicaCount=3"]].concat());
    helm.done(&[&install[..], installing, &values].concat()).await;
    let before = world.live(&definition()).await.unwrap();
    world.namespace("web").await;
    let intruder =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "intruder"}});
    world.apply(&intruder).await;
    let api: Api<ValidatingWebhookConfiguration> = Api::all(world.client.clone());
    assert!(api.get_opt("gmsa").await.unwrap().is_some());
    eventually("pods are refused, because none of that server's run", SOON, || async {
        world.admit("web").await.err().filter(|why| why.contains("calling webhook"))
    })
    .await;
    let intruder = Intruder::start(&world);

    // What would lose something, or not work, is refused before anything is changed.
    let upgrade = ["upgrade", "gmsa", CHART, LABELLED[0], LABELLED[1]];
    let why = helm.refused(&upgrade).await;
    let remedy = "kubectl annotate gmsacredentialspec webapp-1 helm.sh/resource-policy=keep";
    assert!(why.contains(remedy), "{why}");
    let why = helm.refused(&[&upgrade[..], &["--reuse-values"]].concat()).await;
    assert!(why.contains("--reset-then-reuse-values"), "{why}");
    let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), NAME);
    assert!(deployments.get_opt("gmsa").await.unwrap().is_some());
    assert!(deployments.get_opt(NAME).await.unwrap().is_none());
    assert_eq!(names(&world).await, ["spec", "webapp-1"]);

    helm.done(&[&upgrade[..], &["--reset-then-reuse-values", "--timeout=300s"]].concat()).await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;
    intruder.end().await;
    assert!(deployments.get_opt("gmsa").await.unwrap().is_none());
    let replicas = deployments.get(NAME).await.unwrap().spec.replicas;
    assert_eq!(replicas, Some(3), "the value of the old release");
    assert!(api.get_opt("gmsa").await.unwrap().is_none());
    assert_eq!(names(&world).await, ["spec", "webapp-1"]);
    let after = world.live(&definition()).await.unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["spec"], before["spec"], "helm never looks at the definition again");

    // The documented command for the definition.
    let readme = std::fs::read_to_string(Path::new(CHART).join("README.md")).unwrap();
    let line = readme.lines().find(|line| line.starts_with("kubectl apply")).unwrap();
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("kubectl"));
    let output = Command::new(kubectl)
        .current_dir(crate::support::ROOT)
        .env("KUBECONFIG", world.plane.kubeconfig_path())
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let after = world.live(&definition()).await.unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["spec"]["names"]["shortNames"], json!(["gmsa"]));
    assert_eq!(names(&world).await, ["spec", "webapp-1"]);

    helm.done(&["uninstall", "gmsa"]).await;
    assert_eq!(names(&world).await, ["spec", "webapp-1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_of_the_same_name_is_refused_with_the_way_to_go_on() {
    let test = "a_deployment_of_the_same_name_is_refused_with_the_way_to_go_on";
    let Some(program) = tools::find(test, "helm") else { return };
    let Some(world) = World::new(test).await else { return };
    let helm = Helm::new(program, &world).await;
    let files = tempfile::tempdir().unwrap();
    let other = other_chart(files.path());
    helm.done(&["install", NAME, other.to_str().unwrap(), "--server-side=false"]).await;
    let upgrade = ["upgrade", NAME, CHART, LABELLED[0], LABELLED[1]];
    let why = helm.refused(&upgrade).await;
    let remedy = "kubectl delete deployment gmsa-webhook -n gmsa-webhook --cascade=orphan";
    assert!(why.contains(remedy), "{why}");

    let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), NAME);
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), NAME);
    let theirs = ListParams::default().labels("app=gmsa-webhook");
    eventually("the Deployment has its pods", SOON, || async {
        (pods.list(&theirs).await.unwrap().items.len() == 2).then_some(())
    })
    .await;
    // Who goes on with the certificate in that Secret has its CA in the configurations.
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "gmsa-server-cert", "namespace": NAME}, "data": {"ca.crt": "QQ=="}});
    world.apply(&secret).await;

    deployments.delete(NAME, &DeleteParams::orphan()).await.unwrap();
    eventually("the Deployment is gone", SOON, || async {
        deployments.get_opt(NAME).await.unwrap().is_none().then_some(())
    })
    .await;
    let files = [
        "--dry-run=server",
        "--set",
        "certificates.source=files",
        "--set",
        "certificates.secretName=gmsa-server-cert",
    ];
    let shown = helm.done(&[&upgrade[..], &files].concat()).await;
    assert_eq!(shown.matches("caBundle: QQ==").count(), 2, "{shown}");
    let _stand_in = world.stand_in(None).await;
    helm.done(&upgrade).await;
    world.namespace("web").await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;
    assert_eq!(pods.list(&theirs).await.unwrap().items.len(), 2, "the old pods went on meanwhile");
}
