//! What the webhook adds to the creation of a pod on a real API server: on a cluster where it is
//! installed, or on the control plane of the tests, which has no kube-proxy: there the server listens
//! at the Service's address, on the loopback interface.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use gmsa_cluster::api::objects::kinds;
use gmsa_cluster::installation::{
    MATCH_CONDITION, Options, Version, engine, objects as objects_of,
};
use gmsa_core::credspec::canonical_json;
use gmsa_core::index::Spec;
use gmsa_core::names::{ENABLED, NAMESPACE_LABEL, SEEN};
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::measure::{Target, median};
use crate::world::{SPEC, World, create};

/// Pods of this namespace are sent to the webhook, which it opts into.
const WITH: &str = "with-webhook";
/// Pods of this one too, and checked by the guard, as `install` does.
const WITH_GUARD: &str = "with-webhook-and-guard";
/// Pods of this one are decided on by the policies of the engine.
const WITH_POLICIES: &str = "with-policies";
/// Pods of this one are expanded by the first of these policies, and the others ask nothing.
const BY_FLOOR: &str = "by-floor";
/// Pods of this one are checked by a policy that has every credential spec as a parameter.
const BY_SELECTOR: &str = "by-selector";
/// Pods of this one are not.
const WITHOUT: &str = "without-webhook";
const SOON: Duration = Duration::from_mins(1);

/// How long creations took, in microseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Took {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Creations of one kind of pod: how many at once, without the webhook and with it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Created {
    pub(crate) gmsa: bool,
    pub(crate) at_once: usize,
    pub(crate) without: Took,
    pub(crate) with: Took,
    /// The median of what the webhook adds to the median within a round.
    pub(crate) added: f64,
}

/// Creations on one API server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Creation {
    /// The version of Kubernetes.
    pub(crate) version: (u32, u32),
    /// Whether the webhook runs on a node behind kube-proxy.
    pub(crate) node: bool,
    pub(crate) rows: Vec<Created>,
}

impl Creation {
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.version, self.node) == (other.version, other.node)
    }

    /// Whether the API server itself sees which pods use a GMSA.
    pub(crate) fn filters(&self) -> bool {
        self.version >= (1, 28)
    }
}

/// On a cluster where the webhook is installed for namespaces that opt in.
pub(crate) async fn on_cluster(kubeconfig: &Path, rounds: usize, pods: usize) -> Creation {
    let client = gmsa_testkit::control_plane::client(kubeconfig).await;
    let version = client.apiserver_version().await.unwrap();
    let number = |text: &str| text.trim_end_matches('+').parse().unwrap();
    let version = (number(&version.major), number(&version.minor));
    prepare(&client).await;
    expands(&client, WITH).await;
    Creation { version, node: true, rows: measure(&client, rounds, pods).await }
}

/// On the control plane of the tests.
pub(crate) async fn through_loopback(world: &World, rounds: usize, pods: usize) -> Creation {
    let version = world.plane.version();
    let mut creation = Creation { version, node: false, rows: Vec::new() };
    prepare(&world.client).await;
    let server = register(world, creation.filters()).await;
    expands(&world.client, WITH).await;
    Target { address: server.https, pid: server.pid() }.pin();
    creation.rows = measure(&world.client, rounds, pods).await;
    creation
}

/// What decides on the pods of a namespace, in the order in which it is measured.
const ENGINES: [(&str, &str); 6] = [
    ("none", WITHOUT),
    ("webhook alone", WITH),
    ("webhook and guard", WITH_GUARD),
    ("policies", WITH_POLICIES),
    ("policies that ask nothing", BY_FLOOR),
    ("a policy with `paramRef.selector`", BY_SELECTOR),
];

/// With more credential specs than this, a policy that has each as a parameter takes seconds.
const MOST_BY_SELECTOR: usize = 1_000;

/// Compares creation without any support for GMSAs, with the webhook and with the policy engine, at so
/// many credential specs, in turns, and prints a line for each.
pub(crate) async fn engines(world: &World, counts: &[usize], rounds: usize, pods: usize) {
    assert!(world.plane.version() >= (1, 36), "the policy engine needs an API server from 1.36");
    prepare(&world.client).await;
    let server = register(world, true).await;
    expands(&world.client, WITH).await;
    let definition = json!(engine::index_definition());
    create(&world.client, &definition, "customresourcedefinitions", None).await;
    put_index(&world.client, &[(SPEC.to_owned(), credential_spec(SPEC, 0))]).await;
    let (options, version) = (Options::default(), Version(1, 36));
    let policies: Vec<Value> = engine::policies(&options, version).iter().cloned().collect();
    bind(&world.client, &objects_of(&options, version).policies, WITH_GUARD).await;
    bind(&world.client, &policies, WITH_POLICIES).await;
    bind(&world.client, &policies.iter().filter_map(floor).collect::<Vec<_>>(), BY_FLOOR).await;
    for namespace in [WITH_GUARD, WITH_POLICIES, BY_FLOOR] {
        expands(&world.client, namespace).await;
    }
    check_by_selector(&world.client).await;
    let (major, minor) = world.plane.version();
    println!("Kubernetes {major}.{minor}, {rounds} rounds of {pods} pods, one at a time");
    println!("| credential specs | pod | engine | p50 ms | p99 ms |\n|---|---|---|---|---|");
    let mut specs = vec![(SPEC.to_owned(), credential_spec(SPEC, 0))];
    for count in counts {
        let more: Vec<(String, Value)> = (specs.len()..*count)
            .map(|number| (format!("spec-{number}"), number))
            .map(|(name, number)| (name.clone(), credential_spec(&name, number)))
            .collect();
        futures::stream::iter(&more)
            .for_each_concurrent(16, |(_, spec)| async {
                create(&world.client, spec, "gmsacredentialspecs", None).await;
            })
            .await;
        specs.extend(more);
        put_index(&world.client, &specs).await;
        expands(&world.client, WITH_POLICIES).await;
        let engines = &ENGINES[..ENGINES.len() - usize::from(*count > MOST_BY_SELECTOR)];
        for gmsa in [false, true] {
            let mut took = vec![Vec::new(); engines.len()];
            for _ in 0..rounds {
                for ((_, namespace), took) in engines.iter().zip(&mut took) {
                    // Each takes half a second there.
                    let slow = *namespace == BY_SELECTOR && *count > 1;
                    let pods = if slow { pods.div_ceil(20) } else { pods };
                    took.push(creations(&world.client, namespace, gmsa, 1, pods).await);
                }
            }
            for ((engine, _), took) in engines.iter().zip(&took) {
                let of = |each: fn(&Took) -> f64| median(took.iter().map(each).collect()) / 1e3;
                println!(
                    "| {count} | {} | {engine} | {:.2} | {:.2} |",
                    if gmsa { "with a GMSA" } else { "plain" },
                    of(|took| took.p50),
                    of(|took| took.p99)
                );
            }
        }
    }
    drop(server);
}

/// Creates policies, and binds them to one namespace, so that the others are as if there were none.
async fn bind(client: &Client, policies: &[Value], namespace: &str) {
    for mut object in policies.iter().cloned() {
        if let Some(matched) = object["spec"].get_mut("matchResources") {
            matched["namespaceSelector"] =
                json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
        }
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        let plural = match kind.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{kind}s"),
        };
        create(client, &object, &plural, None).await;
    }
}

/// What a policy of the engine for new pods, or its binding, costs at least: the same constraints and
/// parameters, without a question that depends on the pod.
fn floor(object: &Value) -> Option<Value> {
    let mut object = object.clone();
    let name = object["metadata"]["name"].as_str()?.replace("gmsa-engine-", "floor-");
    if name.contains("ephemeral") {
        return None;
    }
    object["metadata"]["name"] = json!(name);
    if object["kind"].as_str()?.ends_with("Binding") {
        object["spec"]["policyName"] = json!(name);
        return Some(object);
    }
    object["spec"]["variables"] = json!([]);
    if object["spec"].get("mutations").is_some() {
        let change = format!(
            "[JSONPatch{{op: 'add', path: '/metadata/labels', value: {{'{SEEN}': 'true'}}}}, \
             JSONPatch{{op: 'add', path: '/spec/securityContext/windowsOptions/gmsaCredentialSpec', \
             value: params.entries['{SPEC}']}}]"
        );
        object["spec"]["mutations"][0]["jsonPatch"]["expression"] = json!(change);
    } else {
        object["spec"]["validations"] = json!([{"expression": "true"}]);
    }
    Some(object)
}

/// A policy as one would write it first: each credential spec is a parameter.
async fn check_by_selector(client: &Client) {
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": BY_SELECTOR},
        "spec": {
            "paramKind": {"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec"},
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                "operations": ["CREATE"], "resources": ["pods"]}]},
            "validations": [{"expression": "object.spec.?securityContext.?windowsOptions\
                .?gmsaCredentialSpecName.orValue('') != params.metadata.name || has(params.credspec)"}],
        },
    });
    create(client, &policy, "validatingadmissionpolicies", None).await;
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": BY_SELECTOR},
        "spec": {
            "policyName": BY_SELECTOR,
            "paramRef": {"selector": {}, "parameterNotFoundAction": "Deny"},
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector":
                {"matchLabels": {"kubernetes.io/metadata.name": BY_SELECTOR}}},
        },
    });
    create(client, &binding, "validatingadmissionpolicybindings", None).await;
}

fn credential_spec(name: &str, number: usize) -> Value {
    let account = if number == 0 { "WebApp1".to_owned() } else { format!("gmsa{number}") };
    objects::credential_spec(name, &account)
}

/// Makes the index that of these credential specs.
async fn put_index(client: &Client, specs: &[(String, Value)]) {
    let specs: Vec<(&str, Spec)> =
        specs.iter().map(|(name, spec)| (name.as_str(), Spec::of(spec))).collect();
    let index = gmsa_core::index::build(specs.iter().map(|(name, spec)| (*name, spec)));
    assert!(index.left_out.is_empty(), "{index:?}");
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &kinds::INDEX.resource());
    let params = PatchParams::apply("bench").force();
    eventually("the index is stored", SOON, || async {
        let patch = Patch::Apply(index.object());
        api.patch(gmsa_core::names::INDEX, &params, &patch).await.ok().map(drop)
    })
    .await;
}

/// Creates pods, as dry runs: etcd is no part of what differs.
async fn measure(client: &Client, rounds: usize, pods: usize) -> Vec<Created> {
    let mut all = Vec::new();
    for gmsa in [false, true] {
        for at_once in [1, 50] {
            let (mut without, mut with) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                without.push(creations(client, WITHOUT, gmsa, at_once, pods).await);
                with.push(creations(client, WITH, gmsa, at_once, pods).await);
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
    all
}

/// Creates the namespaces, and the right to use the credential spec in both.
async fn prepare(client: &Client) {
    create(client, &objects::credential_spec(SPEC, "WebApp1"), "gmsacredentialspecs", None).await;
    create(client, &objects::role(SPEC), "clusterroles", None).await;
    let opted_in = json!({NAMESPACE_LABEL: ENABLED});
    for name in [WITH, WITHOUT, WITH_GUARD, WITH_POLICIES, BY_FLOOR, BY_SELECTOR] {
        let labels = if [WITH, WITH_GUARD].contains(&name) { opted_in.clone() } else { json!({}) };
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels}});
        create(client, &namespace, "namespaces", None).await;
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}});
        create(client, &account, "serviceaccounts", Some(name)).await;
        create(client, &objects::binding(SPEC, name, "web"), "rolebindings", Some(name)).await;
    }
}

/// Starts a server at the address of a Service, and has the API server call it.
async fn register(world: &World, filters: bool) -> Server {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "webhook"},
        "spec": {"ports": [{"port": 443}]}});
    create(&world.client, &service, "services", Some(WITHOUT)).await;
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
        let mut configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
            "metadata": {"name": "bench"},
            "webhooks": [{
                "name": format!("{path}.bench.example"),
                "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                "timeoutSeconds": 10,
                "namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: ENABLED}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": ["pods"]}],
                "clientConfig": {"caBundle": bundle, "service":
                    {"namespace": WITHOUT, "name": "webhook", "path": format!("/{path}")}},
            }],
        });
        if filters {
            configuration["webhooks"][0]["matchConditions"] =
                json!([{"name": "uses-gmsa", "expression": MATCH_CONDITION}]);
        }
        create(&world.client, &configuration, plural, None).await;
    }
    server
}

/// Waits until the API server expands the pods of a namespace.
async fn expands(client: &Client, namespace: &str) {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let pod = pod(namespace, true, 0);
    eventually("a pod is expanded", SOON, || async {
        let created = pods.create(&dry(), &pod).await.ok()?;
        let created = serde_json::to_value(created).unwrap();
        created["spec"]["securityContext"]["windowsOptions"]["gmsaCredentialSpec"]
            .is_string()
            .then_some(())
    })
    .await;
}

fn dry() -> PostParams {
    PostParams { dry_run: true, ..PostParams::default() }
}

fn pod(namespace: &str, gmsa: bool, number: usize) -> Pod {
    // Without the webhook nothing expands the name.
    let contents = canonical_json(&objects::credential_spec(SPEC, "WebApp1")["credspec"]);
    let contents = [WITHOUT, BY_SELECTOR].contains(&namespace).then_some(contents.as_str());
    let options = if gmsa { objects::gmsa(Some(SPEC), contents) } else { json!({}) };
    let mut pod: Value = objects::pod(namespace, &format!("pod-{number}"), &options);
    pod["spec"]["serviceAccountName"] = json!("web");
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    serde_json::from_value(pod).unwrap()
}

async fn creations(
    client: &Client,
    namespace: &str,
    gmsa: bool,
    at_once: usize,
    pods: usize,
) -> Took {
    let next = AtomicUsize::new(0);
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
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
