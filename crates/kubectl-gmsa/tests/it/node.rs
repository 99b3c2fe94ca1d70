//! The webhook in a real cluster of one node: kubelet, container runtime, Services, and our own image. The
//! tests share the cluster one after the other.

mod cert_manager;
mod demo;
mod inside;
mod memory;
mod outage;
mod release;
mod rotation;
mod sources;
mod starting;
mod takeover;
mod under_load;
mod uninstall;

use std::path::{Path, PathBuf};
use std::process::Command;

use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::installation::IMAGE;
use gmsa_core::names::{NAME, SECRET};
use gmsa_testkit::https::plain_get;
use gmsa_testkit::node::Node;
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Event, Namespace, Pod, Secret, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::world::SOON;
use crate::support::{Ran, plugin, ran};

/// How install lets go of what an earlier test left: every option as it is by default.
const DEFAULTS: [&str; 9] = [
    "--replicas=2",
    "--audit=false",
    "--early-warnings=false",
    "--host-network=false",
    "--port=8443",
    "--timeout-seconds=5",
    "--node-selector=",
    "--memory-limit=128Mi",
    "--memory-request=32Mi",
];

const IMAGE_SCRIPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../gmsa-testkit/scripts/program-image.sh");
const EXPIRY: &str = "gmsa_certificate_expiry_timestamp_seconds";
const DEFINITION: &str = "gmsacredentialspecs.windows.k8s.io";

struct Cluster {
    node: Node,
}

impl Cluster {
    async fn new(test: &str) -> Option<Self> {
        let archive = archive(test)?;
        let node = Node::of_run(test, &archive, IMAGE).await?;
        Some(Self { node })
    }

    async fn run(&self, args: &[&str]) -> Ran {
        let mut command = plugin(args);
        command.env("KUBECONFIG", &self.node.kubeconfig);
        tokio::task::spawn_blocking(move || ran(&mut command)).await.unwrap()
    }

    /// A command that must succeed; what it writes to standard output and to standard error.
    async fn done(&self, args: &[&str]) -> String {
        let ran = self.run(args).await;
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout + &ran.stderr
    }

    /// Installs with these options, and all others as they are by default.
    async fn installed(&self, options: &[&str]) {
        self.done(&install(options)).await;
        self.rolled_out().await;
    }

    /// Removes what an earlier test left, and waits until it is gone.
    async fn without_installation(&self) {
        self.end_replicas().await;
        self.done(&["uninstall", "--yes", "--purge-credspecs"]).await;
        let namespaces: Api<Namespace> = Api::all(self.node.client.clone());
        eventually("the namespace is gone", SOON, || async {
            namespaces.get_opt(NAME).await.unwrap().is_none().then_some(())
        })
        .await;
        let definitions: Api<CustomResourceDefinition> = Api::all(self.node.client.clone());
        eventually("the definition is gone", SOON, || async {
            definitions.get_opt(DEFINITION).await.unwrap().is_none().then_some(())
        })
        .await;
    }

    /// Removes the replicas at once, their processes too: those would answer for seconds on connections that
    /// the API server keeps. The controller of namespaces waits for pods half as long as they may take to end,
    /// and a kubelet of 1.20 takes up to ten seconds to report that one has ended.
    async fn end_replicas(&self) {
        let deployments: Api<Deployment> = Api::namespaced(self.node.client.clone(), NAME);
        let none = Patch::Merge(json!({"spec": {"replicas": 0}}));
        // There may be no installation.
        let _not_there = deployments.patch(NAME, &PatchParams::default(), &none).await;
        let pods: Api<Pod> = Api::namespaced(self.node.client.clone(), NAME);
        let now = DeleteParams::default().grace_period(0);
        eventually("the replicas are gone", SOON, || async {
            let mut all = pods.list(&ListParams::default()).await.unwrap().items;
            // A Job makes a pod that is deleted again.
            all.retain(|pod| pod.owner_references().iter().any(|one| one.kind == "ReplicaSet"));
            for pod in &all {
                let _gone_already = pods.delete(&pod.name_any(), &now).await;
            }
            let status = deployments.get_opt(NAME).await.unwrap().and_then(|one| one.status);
            let counted = status.and_then(|status| status.replicas).unwrap_or(0);
            (all.is_empty() && counted == 0).then_some(())
        })
        .await;
        self.node.shell("pkill -KILL -x gmsa-webhook || true");
    }

    /// Waits until every replica is of the newest template and ready, and no other exists.
    async fn rolled_out(&self) {
        let deployments: Api<Deployment> = Api::namespaced(self.node.client.clone(), NAME);
        eventually("only new replicas run, and all of them", SOON, || async {
            let deployment = deployments.get(NAME).await.ok()?;
            let wanted = deployment.spec.replicas;
            let status = deployment.status.as_ref()?;
            let all = [status.replicas, status.updated_replicas, status.available_replicas];
            let current = status.observed_generation == deployment.metadata.generation;
            let pods = self.pods().await.len();
            let complete = i32::try_from(pods).ok() == wanted;
            (current && complete && all.iter().all(|one| *one == wanted)).then_some(())
        })
        .await;
    }

    /// The webhook's pods that are not about to end.
    async fn pods(&self) -> Vec<Pod> {
        let mut pods = self.pods_and_ending().await;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        pods
    }

    async fn pods_and_ending(&self) -> Vec<Pod> {
        let pods: Api<Pod> = Api::namespaced(self.node.client.clone(), NAME);
        let ours = ListParams::default().labels(&format!("app.kubernetes.io/name={NAME}"));
        pods.list(&ours).await.unwrap().items
    }

    /// Waits until no pod of the webhook is about to end any more.
    async fn replicas_ended(&self) {
        eventually("the old replicas have ended", SOON, || async {
            (self.pods_and_ending().await.len() == self.pods().await.len()).then_some(())
        })
        .await;
    }

    /// The id of the process that runs the webhook in a pod, as the node numbers it.
    async fn process(&self, pod: &Pod) -> u32 {
        let uid = pod.uid().unwrap();
        let find = format!(
            "for one in $(grep -ls pod{uid} /proc/[0-9]*/cgroup); do \
             grep -lsx gmsa-webhook ${{one%cgroup}}comm || true; done"
        );
        eventually("the pod has its process", SOON, || async {
            let found = self.node.shell(&find);
            found.lines().next()?.split('/').nth(2)?.parse().ok()
        })
        .await
    }

    /// The webhook's own events with this reason.
    async fn events(&self, reason: &str) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.node.client.clone(), NAME);
        let mut all = events.list(&ListParams::default()).await.unwrap().items;
        all.retain(|event| {
            event.reporting_component.as_deref() == Some(NAME)
                && event.reason.as_deref() == Some(reason)
        });
        all
    }

    async fn apply(&self, object: &Value) {
        let applier = Applier::new(self.node.client.clone(), "test", true);
        applier.apply(object).await.unwrap_or_else(|error| panic!("{error}: {object:#}"));
    }

    /// Makes a namespace whose default account may use the credential spec `spec`.
    async fn namespace(&self, name: &str) {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.apply(&namespace).await;
        self.apply(&objects::credential_spec("spec", "WebApp1")).await;
        self.apply(&objects::role("spec")).await;
        self.apply(&objects::binding("spec", name, "default")).await;
        let accounts: Api<ServiceAccount> = Api::namespaced(self.node.client.clone(), name);
        eventually("the service account exists", SOON, || async {
            let account = accounts.get_opt("default").await.unwrap()?;
            // Servers before 1.24 give it a token, and wait for that.
            (self.node.at_least(1, 24) || account.secrets.is_some()).then_some(())
        })
        .await;
    }

    /// Makes an image of a program, and puts it into the node's store under that name.
    fn import_program(&self, program: &Path, image: &str) {
        let files = tempfile::tempdir().unwrap();
        let archive = files.path().join("program.tar");
        let mut command = Command::new(IMAGE_SCRIPT);
        let output = command.args([program, archive.as_path()]).arg(image).output().unwrap();
        let program = program.display();
        assert!(output.status.success(), "failed to make an image of {program}: {output:?}");
        self.node.import(&archive, image);
    }

    /// The CA bundle of the mutating configuration, encoded as base64.
    async fn bundle(&self) -> Value {
        let api: Api<MutatingWebhookConfiguration> = Api::all(self.node.client.clone());
        let configuration = api.get(NAME).await.unwrap();
        let bundle = configuration.webhooks.unwrap()[0].client_config.ca_bundle.clone();
        serde_json::to_value(bundle).unwrap()
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.node.client.clone(), NAME)
    }

    /// A part of a Secret, encoded as base64; null if it is missing.
    async fn part(&self, secret: &str, key: &str) -> Value {
        let secret = self.secrets().get_opt(secret).await.unwrap();
        let part = secret.and_then(|secret| secret.data?.remove(key));
        serde_json::to_value(part).unwrap()
    }

    async fn patch_secret(&self, patch: &Value) {
        self.secrets().patch(SECRET, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// Waits until each replica has read the certificate that the Secret holds. Kubelets look for another
    /// content of a volume once a minute, and when the pod changes.
    async fn serves_the_certificate(&self) {
        let pods: Api<Pod> = Api::namespaced(self.node.client.clone(), NAME);
        for pod in self.pods().await {
            let name = pod.name_any();
            let address = pod.status.unwrap().pod_ip.unwrap();
            let forward = self.node.forward(&format!("{address}:9443")).await;
            let metrics = ([127, 0, 0, 1], forward.port).into();
            eventually("the certificate is read", SOON, || async {
                let now = json!({"kube-gmsa.test/look": Timestamp::now().to_string()});
                let patch = Patch::Merge(json!({"metadata": {"annotations": now}}));
                pods.patch(&name, &PatchParams::default(), &patch).await.unwrap();
                let issued = serde_json::from_value(self.part(SECRET, "tls.crt").await).ok()?;
                let page = plain_get(metrics, "/metrics").await;
                let read = page.lines().find_map(|line| line.strip_prefix(EXPIRY))?;
                let apart = read.trim().parse::<f64>().ok()? - end(&issued)?;
                (apart.abs() < 0.5).then_some(())
            })
            .await;
        }
    }

    async fn remove_namespace(&self, name: &str) {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let applier = Applier::new(self.node.client.clone(), "test", true);
        applier.delete(&namespace).await.unwrap();
    }
}

/// The command that installs with these options, and all others as they are by default.
fn install<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let flag = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let given: Vec<String> = options.iter().map(|option| flag(option)).collect();
    let defaults = DEFAULTS.iter().copied().filter(|one| !given.contains(&flag(one)));
    let image: &[&str] =
        if given.iter().any(|flag| flag == "--image") { &[] } else { &["--image", IMAGE] };
    let start = ["install", "--force-conflicts"].iter().chain(image).copied();
    start.chain(defaults).chain(options.iter().copied()).collect()
}

/// When a certificate ends, in seconds since 1970.
fn end(certificate: &ByteString) -> Option<f64> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(&certificate.0).ok()?;
    let end = pem.parse_x509().ok()?.validity().not_after.timestamp();
    u32::try_from(end).ok().map(f64::from)
}

/// Our image, as scripts/image.sh makes it.
fn archive(test: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let archive = target.join("image/gmsa-webhook-amd64.tar");
    if archive.is_file() && cfg!(target_arch = "x86_64") {
        return Some(archive);
    }
    tools::skip(test, "no image; `make image` makes one");
    None
}
