//! What the webhook adds to the creation of a pod on a real API server, which calls it through a
//! Service's address. No kube-proxy runs: the server listens at that address, on the loopback interface.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gmsa_core::credspec::canonical_json;
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::measure::{Target, median};
use crate::world::{SPEC, World};

/// Pods of this namespace are sent to the webhook.
const WITH: &str = "with-webhook";
/// Pods of this one are not.
const WITHOUT: &str = "without-webhook";
const LABEL: &str = "bench";
const SOON: Duration = Duration::from_mins(1);

/// How long creations took, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Creations of one kind of pod: how many at once, without the webhook and with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Created {
    pub(crate) gmsa: bool,
    pub(crate) at_once: usize,
    pub(crate) without: Took,
    pub(crate) with: Took,
    /// The median of what the webhook adds to the median within a round.
    pub(crate) added: f64,
}

/// Creates pods, as dry runs: etcd is no part of what differs. Returns the address, too.
pub(crate) async fn measure(world: &World, rounds: usize, pods: usize) -> (Vec<Created>, String) {
    let (server, address) = register(world).await;
    Target { address: server.https, pid: server.pid() }.pin();
    let mut all = Vec::new();
    for gmsa in [false, true] {
        for at_once in [1, 50] {
            let (mut without, mut with) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                without.push(create(world, WITHOUT, gmsa, at_once, pods).await);
                with.push(create(world, WITH, gmsa, at_once, pods).await);
            }
            let of = |rounds: &[Took]| Took {
                p50: median(rounds.iter().map(|one| one.p50).collect()),
                p99: median(rounds.iter().map(|one| one.p99).collect()),
            };
            let added = with.iter().zip(&without).map(|(with, without)| with.p50 - without.p50);
            let added = median(added.collect());
            all.push(Created { gmsa, at_once, without: of(&without), with: of(&with), added });
        }
    }
    (all, address)
}

/// Starts a server at the address of a Service, and has the API server call it.
async fn register(world: &World) -> (Server, String) {
    for (name, labels) in [(WITH, json!({LABEL: "with"})), (WITHOUT, json!({}))] {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels}});
        world.create(&namespace, "namespaces", None).await;
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}});
        world.create(&account, "serviceaccounts", Some(name)).await;
        world.create(&objects::binding(SPEC, name, "web"), "rolebindings", Some(name)).await;
    }
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "webhook"},
        "spec": {"ports": [{"port": 443}]}});
    world.create(&service, "services", Some(WITHOUT)).await;
    let services: Api<Service> = Api::namespaced(world.client.clone(), WITHOUT);
    let service = services.get("webhook").await.unwrap();
    let address = service.spec.unwrap().cluster_ip.unwrap();
    let https: SocketAddr = format!("{address}:443").parse().unwrap();
    let name = format!("webhook.{WITHOUT}.svc");
    let (certificate, key) = world.certificate(&[&name], crate::world::Key::P256);
    let args = [
        format!("--listen={address}"),
        "--https-port=443".to_owned(),
        format!("--tls-cert={}", certificate.display()),
        format!("--tls-key={}", key.display()),
        format!("--kubeconfig={}", world.plane.kubeconfig_path().display()),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let program = world.programs.join("gmsa-webhook");
    let server = Server::start(program.to_str().unwrap(), &args, &[]).await;
    assert_eq!(server.https, https);
    server.ready_as(&name, world.authority.pem()).await;
    let bundle = ByteString(world.authority.pem().as_bytes().to_vec());
    for (kind, plural, path) in [
        ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "mutate"),
        ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "validate"),
    ] {
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
            "metadata": {"name": "bench"},
            "webhooks": [{
                "name": format!("{path}.bench.example"),
                "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                "timeoutSeconds": 10,
                "namespaceSelector": {"matchLabels": {LABEL: "with"}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": ["pods"]}],
                "clientConfig": {"caBundle": bundle, "service":
                    {"namespace": WITHOUT, "name": "webhook", "path": format!("/{path}")}},
            }],
        });
        world.create(&configuration, plural, None).await;
    }
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), WITH);
    let pod = pod(WITH, true, 0);
    eventually("the webhook expands a pod", SOON, || async {
        let created = pods.create(&dry(), &pod).await.ok()?;
        let created = serde_json::to_value(created).unwrap();
        created["spec"]["securityContext"]["windowsOptions"]["gmsaCredentialSpec"]
            .is_string()
            .then_some(())
    })
    .await;
    (server, address)
}

fn dry() -> PostParams {
    PostParams { dry_run: true, ..PostParams::default() }
}

fn pod(namespace: &str, gmsa: bool, number: usize) -> Pod {
    // Without the webhook nothing expands the name.
    let contents = canonical_json(&objects::credential_spec(SPEC, "WebApp1")["credspec"]);
    let contents = (namespace == WITHOUT).then_some(contents.as_str());
    let options = if gmsa { objects::gmsa(Some(SPEC), contents) } else { json!({}) };
    let mut pod: Value = objects::pod(namespace, &format!("pod-{number}"), &options);
    pod["spec"]["serviceAccountName"] = json!("web");
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    serde_json::from_value(pod).unwrap()
}

async fn create(world: &World, namespace: &str, gmsa: bool, at_once: usize, pods: usize) -> Took {
    let next = AtomicUsize::new(0);
    let api: Api<Pod> = Api::namespaced(world.client.clone(), namespace);
    let workers = (0..at_once).map(|_| async {
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= pods {
                return times;
            }
            let pod = pod(namespace, gmsa, number);
            let began = Instant::now();
            api.create(&dry(), &pod).await.unwrap();
            times.push(began.elapsed().as_secs_f64() * 1e6);
        }
    });
    let mut times = futures::future::join_all(workers).await.concat();
    times.sort_by(f64::total_cmp);
    Took { p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
}
