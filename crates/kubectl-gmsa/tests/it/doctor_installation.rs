//! Faults of the webhook's installation, planted where nothing repairs them: a control plane without
//! a controller manager, a server with certificates from files, and a status that is written by
//! hand.

use std::collections::BTreeSet;
use std::time::Duration;

use gmsa_cluster::installation::{Certificates, Options, objects};
use gmsa_testkit::control_plane;
use gmsa_testkit::objects::credential_spec;
use gmsa_testkit::pki::{Authority, Pair};
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use time::{Duration as Span, OffsetDateTime};

use crate::support::world;

const SOON: Duration = Duration::from_mins(1);
const NAME: &str = "gmsa-webhook.gmsa-webhook.svc";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/gmsa-webhook/deployments/gmsa-webhook/status";
const MUTATING: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gmsa-webhook";
pub(super) const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/gmsa-webhook";
pub(super) const SECRET: &str = "/api/v1/namespaces/gmsa-webhook/secrets/gmsa-webhook-certificates";
/// Its version is that of the server.
const SLICE: &str =
    "/apis/discovery.k8s.io/VERSION/namespaces/gmsa-webhook/endpointslices/gmsa-webhook";
const CRD: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gmsacredentialspecs.windows.k8s.io";
const CRD_STATUS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/\
    gmsacredentialspecs.windows.k8s.io/status";
const NODE: &str = "/api/v1/nodes/windows/status";
const SPEC: &str = "/apis/windows.k8s.io/v1/gmsacredentialspecs/web";
const OTHERS: &str = "/apis/apps/v1/namespaces/default/deployments";

pub(super) struct World {
    base: world::World,
    /// The version of EndpointSlices that the server has.
    slices: &'static str,
    authority: Authority,
    _server: Server,
    _files: tempfile::TempDir,
}

impl std::ops::Deref for World {
    type Target = world::World;

    fn deref(&self) -> &world::World {
        &self.base
    }
}

const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";
const PODS: &str = "/api/v1/namespaces/default/pods";

/// A fault: where it is, and what makes it.
struct Fault {
    check: &'static str,
    state: &'static str,
    plant: Plant,
}

enum Plant {
    /// A merge patch, made of the object as it is.
    Patch(&'static str, fn(&World, &Value) -> Value),
    /// Another object beside it.
    Create(&'static str, &'static str, fn() -> Value),
    /// The object is gone.
    Delete(&'static str),
}

pub(super) fn hooks(object: &Value, path: &str, value: &Value) -> Value {
    let mut hooks = object["webhooks"].clone();
    for hook in hooks.as_array_mut().unwrap() {
        *hook.pointer_mut(path).unwrap() = value.clone();
    }
    json!({"webhooks": hooks})
}

pub(super) fn base64(text: &str) -> Value {
    serde_json::to_value(ByteString(text.as_bytes().to_vec())).unwrap()
}

/// A certificate of the same authority that ends in so many days.
pub(super) fn ending(world: &World, days: i64) -> Value {
    let now = OffsetDateTime::now_utc();
    let pair =
        world.authority.server_between(&[NAME], (now - Span::days(9), now + Span::days(days)));
    json!({"data": {"tls.crt": base64(&pair.cert)}})
}

fn faults() -> Vec<Fault> {
    use Plant::{Create, Delete, Patch};

    let fault = |check, state, plant| Fault { check, state, plant };
    vec![
        fault(
            "crd-versions",
            "warning",
            Patch(CRD, |_, object| {
                let mut versions = object["spec"]["versions"].clone();
                for version in versions.as_array_mut().unwrap() {
                    version["storage"] = json!(version["name"] == "v1alpha1");
                }
                json!({"spec": {"versions": versions}})
            }),
        ),
        fault("webhook-configured", "problem", Patch(MUTATING, |_, _| json!({"webhooks": []}))),
        fault(
            "old-webhook",
            "warning",
            Create(OTHERS, "windows-gmsa-webhook", || {
                json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "windows-gmsa-webhook"},
                "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "a", "image": "k8s-gmsa-webhook:v1"}]}}}})
            }),
        ),
        fault(
            "webhook-replicas",
            "problem",
            Patch(
                DEPLOYMENT,
                |_, _| json!({"status": {"availableReplicas": 0, "unavailableReplicas": 2}}),
            ),
        ),
        fault(
            "webhook-redundancy",
            "warning",
            Patch(DEPLOYMENT, |_, _| json!({"status": {"availableReplicas": 1}})),
        ),
        fault("webhook-endpoints", "problem", Patch(SLICE, |_, _| json!({"endpoints": []}))),
        fault("webhook-certificate", "problem", Patch(SECRET, |world, _| ending(world, -1))),
        fault("webhook-certificate", "warning", Patch(SECRET, |world, _| ending(world, 3))),
        fault(
            "webhook-ca-bundle",
            "problem",
            Patch(VALIDATING, |_, object| {
                hooks(object, "/clientConfig/caBundle", &base64(Authority::new("another").pem()))
            }),
        ),
        fault(
            "admission-answers",
            "problem",
            Patch(VALIDATING, |_, object| {
                hooks(object, "/clientConfig/service/path", &json!("/nothing"))
            }),
        ),
        fault(
            "node-present",
            "problem",
            Patch(NODE, |_, object| {
                let mut conditions = object["status"]["conditions"].clone();
                conditions[0]["status"] = json!("False");
                json!({"status": {"conditions": conditions}})
            }),
        ),
        fault(
            "node-runtime",
            "warning",
            Patch(
                NODE,
                |_, _| json!({"status": {"nodeInfo": {"containerRuntimeVersion": "docker://20.10.9"}}}),
            ),
        ),
        fault("credspec-present", "warning", Delete(SPEC)),
    ]
}

impl World {
    async fn request(&self, method: &str, path: &str, body: &Value) -> kube::Result<Value> {
        self.base.request(method, &path.replace("VERSION", self.slices), body).await
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Until the report is so: the API server's caches lag behind.
    pub(super) async fn until(&self, what: &str, fits: impl Fn(&Value) -> bool) {
        let last = std::sync::Mutex::new(Value::Null);
        let wait = eventually(what, SOON, || async {
            let (_, report) = self.report(&["doctor"]).await;
            let fitting = fits(&report);
            *last.lock().unwrap() = report["verdict"].clone();
            fitting.then_some(())
        });
        let seen = tokio::time::timeout(Duration::from_secs(45), wait).await;
        seen.unwrap_or_else(|_| panic!("{what}: {:#}", last.lock().unwrap()));
    }

    /// The outcomes of a command: check, object and state.
    async fn outcomes(&self, command: &str) -> BTreeSet<[String; 3]> {
        let (_, report) = self.report(&[command]).await;
        let outcomes = report["outcomes"].as_array().unwrap().iter();
        let text = |one: &Value| one.as_str().unwrap_or_default().to_owned();
        outcomes.map(|one| ["check", "object", "state"].map(|key| text(&one[key]))).collect()
    }

    /// What `status` shows of the webhook is what the doctor finds.
    async fn status_agrees(&self) {
        eventually("status and doctor agree", SOON, || async {
            let status = self.outcomes("status").await;
            let doctor = self.outcomes("doctor").await;
            let of_webhook = |one: &&[String; 3]| {
                ["webhook-", "crd-", "old-", "guard-"]
                    .iter()
                    .any(|prefix| one[0].starts_with(prefix))
            };
            let of_doctor: BTreeSet<_> = doctor.iter().filter(of_webhook).cloned().collect();
            (!status.is_empty() && status == of_doctor).then_some(())
        })
        .await;
    }

    pub(super) async fn healthy(&self) {
        self.until("the cluster is healthy", |report| report["verdict"]["health"] == "healthy")
            .await;
    }

    /// Plants a fault, and gives what was there.
    async fn plant(&self, fault: &Fault) -> Value {
        match fault.plant {
            Plant::Patch(path, change) => {
                let old = self.request("GET", path, &Value::Null).await.unwrap();
                self.request("PATCH", path, &change(self, &old)).await.unwrap();
                old
            }
            Plant::Create(path, _, object) => self.request("POST", path, &object()).await.unwrap(),
            Plant::Delete(path) => {
                let old = self.request("GET", path, &Value::Null).await.unwrap();
                self.request("DELETE", path, &Value::Null).await.unwrap();
                old
            }
        }
    }

    async fn restore(&self, fault: &Fault, mut old: Value) {
        let metadata = json!({"name": old["metadata"]["name"].clone()});
        old["metadata"] = metadata;
        match fault.plant {
            Plant::Patch(path, _) => {
                self.request("PATCH", path, &old).await.unwrap();
                if path == CRD {
                    // The API server remembers as what objects were stored.
                    let stored = json!({"status": {"storedVersions": ["v1"]}});
                    self.request("PATCH", CRD_STATUS, &stored).await.unwrap();
                }
            }
            Plant::Create(path, name, _) => {
                let path = format!("{path}/{name}");
                drop(self.request("DELETE", &path, &Value::Null).await.unwrap());
            }
            Plant::Delete(path) => {
                let (folder, _) = path.rsplit_once('/').unwrap();
                drop(self.request("POST", folder, &old).await.unwrap());
            }
        }
    }
}

pub(super) async fn world(test: &str) -> Option<World> {
    let base = world::World::start(test, control_plane::Options::default()).await?;
    let files = tempfile::tempdir().unwrap();
    let authority = Authority::new("files");
    let pair = authority.server(&[NAME]);
    let (certificate, key) = pair.write(files.path(), "tls");
    let options = Options { certificates: Certificates::Files, ..Options::default() };
    let installed = objects(&options, base.version());
    let slices = if base.plane.at_least(1, 21) { "v1" } else { "v1beta1" };
    for object in installed.base.iter().chain(&around(&pair, slices)) {
        base.apply(object).await;
    }
    let service = base.get("/api/v1/namespaces/gmsa-webhook/services/gmsa-webhook").await;
    let address = service["spec"]["clusterIP"].as_str().unwrap().to_owned();
    let args = [
        format!("--listen={address}"),
        "--https-port=443".to_owned(),
        format!("--tls-cert={}", certificate.display()),
        format!("--tls-key={}", key.display()),
        format!("--kubeconfig={}", base.plane.kubeconfig_path().display()),
        "--namespace=gmsa-webhook".to_owned(),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let program = crate::support::webhook().program;
    let server = Server::start(program.to_str().unwrap(), &args, &[]).await;
    for object in installed.webhooks {
        let mut object = object;
        for hook in object["webhooks"].as_array_mut().unwrap() {
            hook["clientConfig"]["caBundle"] = base64(authority.pem());
        }
        base.apply(&object).await;
    }
    for object in &installed.policies {
        base.apply(object).await;
    }
    let world = World { base, slices, authority, _server: server, _files: files };
    for (path, status) in [
        (
            DEPLOYMENT,
            json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}),
        ),
        (
            NODE,
            json!({
            "nodeInfo": {"kernelVersion": "10.0.20348.2031", "operatingSystem": "windows",
                "containerRuntimeVersion": "containerd://1.7.1", "machineID": "", "systemUUID": "",
                "bootID": "", "osImage": "Windows Server 2022", "kubeletVersion": "v1.20.2",
                "kubeProxyVersion": "v1.20.2", "architecture": "amd64"},
            "conditions": [{"type": "Ready", "status": "True",
                "lastHeartbeatTime": "2020-01-01T00:00:00Z",
                "lastTransitionTime": "2020-01-01T00:00:00Z"}]}),
        ),
    ] {
        world.patch(path, &json!({"status": status})).await;
    }
    Some(world)
}

/// What else a healthy cluster has.
fn around(pair: &Pair, slices: &str) -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": "default"},
            "automountServiceAccountToken": false}),
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": "gmsa-webhook-certificates", "namespace": "gmsa-webhook"},
            "data": {"tls.crt": base64(&pair.cert), "tls.key": base64(&pair.key)}}),
        json!({"apiVersion": format!("discovery.k8s.io/{slices}"), "kind": "EndpointSlice",
            "metadata": {"name": "gmsa-webhook", "namespace": "gmsa-webhook",
                "labels": {"kubernetes.io/service-name": "gmsa-webhook"}},
            "addressType": "IPv4", "ports": [{"port": 8443}],
            "endpoints": [{"addresses": ["192.0.2.1"], "conditions": {"ready": true}},
                {"addresses": ["192.0.2.2"], "conditions": {"ready": true}},
                {"addresses": ["192.0.2.3"], "conditions": {"ready": false}}]}),
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "data": {"Corefile": "contoso.com:53 {\n  forward . 10.0.0.4\n}\n"}}),
        json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "windows", "labels": {"kubernetes.io/os": "windows"}}}),
        credential_spec("web", "WebApp1"),
    ]
}

fn causes(report: &Value) -> Vec<&str> {
    let causes = report["verdict"]["causes"].as_array().unwrap();
    causes.iter().map(|cause| cause["check"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_an_installation_is_found_and_of_two_the_root_cause_first() {
    let test = "each_fault_of_an_installation_is_found_and_of_two_the_root_cause_first";
    let Some(world) = world(test).await else { return };
    world.healthy().await;
    let faults = faults();
    for fault in &faults {
        let old = world.plant(fault).await;
        world
            .until(fault.check, |report| {
                let outcomes = report["outcomes"].as_array().unwrap();
                causes(report) == [fault.check]
                    && outcomes
                        .iter()
                        .any(|one| one["check"] == fault.check && one["state"] == fault.state)
            })
            .await;
        world.status_agrees().await;
        world.restore(fault, old).await;
        world.healthy().await;
    }
    // Two at a time: the causes that are named, in this order; what follows is under its cause.
    for (one, other, named) in [
        (3, 5, &["webhook-replicas"][..]),
        (3, 8, &["webhook-replicas"]),
        (1, 9, &["webhook-configured"]),
        (8, 2, &["webhook-ca-bundle", "old-webhook"]),
        (6, 8, &["webhook-certificate", "webhook-ca-bundle"]),
        (9, 11, &["admission-answers", "node-runtime"]),
    ] {
        let (one, other) = (&faults[one], &faults[other]);
        let later = world.plant(other).await;
        let old = world.plant(one).await;
        let what = format!("{} and {}", one.check, other.check);
        world.until(&what, |report| causes(report) == named).await;
        world.restore(one, old).await;
        world.restore(other, later).await;
        world.healthy().await;
    }
    orphans(&world).await;
    // Without the definition everything that rests on it is said to follow from it.
    world.request("DELETE", CRD, &Value::Null).await.unwrap();
    world.until("crd-present", |report| causes(report).first() == Some(&"crd-present")).await;
}

/// What is left of the other webhook where its Deployment was deleted without its pods.
async fn orphans(world: &World) {
    let pod = json!({"containers": [{"name": "a", "image": "k8s-gmsa-webhook:v1"}]});
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "left-5d4f"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod}}});
    let set = world.request("POST", REPLICA_SETS, &set).await.unwrap();
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
        "name": "left-5d4f", "uid": set["metadata"]["uid"]}]);
    for (name, owners) in [("left-alone", &json!([])), ("left-5d4f-x", &owner)] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": pod,
            "metadata": {"name": name, "ownerReferences": owners}});
        world.request("POST", PODS, &pod).await.unwrap();
    }
    let says = |report: &Value, message: &str, next: &str| {
        report["outcomes"].as_array().unwrap().iter().any(|one| {
            one["check"] == "old-webhook"
                && one["state"] == "warning"
                && one["message"] == format!("another GMSA webhook is left: {message}")
                && one["next"].as_str().is_some_and(|text| text.ends_with(next))
        })
    };
    let (set, pod) = (
        "kubectl delete replicaset left-5d4f -n default",
        "kubectl delete pod left-alone -n default",
    );
    world
        .until("what is left of a Deployment", |report| {
            let both = "ReplicaSet default/left-5d4f, Pod default/left-alone";
            says(report, both, &format!("no controller deletes these: {set}; {pod}"))
        })
        .await;
    let at_once = json!({"gracePeriodSeconds": 0});
    world.request("DELETE", &format!("{REPLICA_SETS}/left-5d4f"), &at_once).await.unwrap();
    world
        .until("what is left without a ReplicaSet", |report| {
            says(report, "Pod default/left-alone", pod)
        })
        .await;
    for name in ["left-alone", "left-5d4f-x"] {
        world.request("DELETE", &format!("{PODS}/{name}"), &at_once).await.unwrap();
    }
    world.healthy().await;
}
