//! The doctor's view of the cluster's side, on a real control plane: faults are planted one by one
//! and two at a time.

use std::time::Duration;

use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::StandIn;
use k8s_openapi::jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::support::{run, world};

const COREFILE: &str =
    ".:53 {\n  forward . /etc/resolv.conf\n}\ncontoso.com:53 {\n  forward . 10.0.0.4\n}\n";

struct World {
    base: world::World,
    _stand_in: StandIn,
}

impl std::ops::Deref for World {
    type Target = world::World;

    fn deref(&self) -> &world::World {
        &self.base
    }
}

/// A fault, and the object that it is in.
struct Fault {
    check: &'static str,
    state: &'static str,
    path: &'static str,
    /// A merge patch; null deletes the object.
    patch: fn(&Value) -> Value,
}

const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/gmsa-webhook";
const SPEC: &str = "/apis/windows.k8s.io/v1/gmsacredentialspecs/web";
const NODE: &str = "/api/v1/nodes/windows/status";

/// The same object with another value at a place of its first webhook.
fn webhook(object: &Value, key: &str, value: Value) -> Value {
    let mut webhooks = object["webhooks"].clone();
    webhooks[0][key] = value;
    json!({"webhooks": webhooks})
}

const FAULTS: [Fault; 10] = [
    Fault {
        check: "webhook-rules",
        state: "problem",
        path: VALIDATING,
        patch: |object| webhook(object, "rules", json!([object["webhooks"][0]["rules"][0]])),
    },
    Fault {
        check: "webhook-exclusions",
        state: "problem",
        path: VALIDATING,
        patch: |object| webhook(object, "objectSelector", json!({"matchLabels": {"gmsa": "yes"}})),
    },
    Fault {
        check: "webhook-failure-policy",
        state: "problem",
        path: VALIDATING,
        patch: |object| webhook(object, "failurePolicy", json!("Ignore")),
    },
    Fault {
        check: "webhook-timeout",
        state: "warning",
        path: VALIDATING,
        patch: |object| webhook(object, "timeoutSeconds", json!(30)),
    },
    Fault {
        check: "webhook-rights",
        state: "problem",
        path: "/apis/rbac.authorization.k8s.io/v1/clusterroles/gmsa-webhook",
        patch: |object| json!({"rules": [object["rules"][0]]}),
    },
    Fault {
        check: "webhook-service",
        state: "problem",
        path: "/api/v1/namespaces/gmsa-webhook/services/gmsa-webhook",
        patch: |object| {
            let mut ports = object["spec"]["ports"].clone();
            ports[0]["port"] = json!(444);
            json!({"spec": {"ports": ports}})
        },
    },
    Fault {
        check: "clock-skew",
        state: "problem",
        path: "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/windows",
        patch: |_| json!({"spec": {"renewTime": micro(Timestamp::now() + 1.hour())}}),
    },
    Fault {
        check: "credspec-findings",
        state: "problem",
        path: SPEC,
        patch: |_| json!({"credspec": {"DomainJoinConfig": {"Sid": "S-1-5-21-1-2-3-4"}}}),
    },
    Fault {
        check: "dns-forwarding",
        state: "warning",
        path: "/api/v1/namespaces/kube-system/configmaps/coredns",
        patch: |_| json!({"data": {"Corefile": ".:53 {\n  forward . /etc/resolv.conf\n}\n"}}),
    },
    Fault {
        check: "node-build",
        state: "problem",
        path: NODE,
        patch: |_| json!({"status": {"nodeInfo": {"kernelVersion": "10.0.17763.1"}}}),
    },
];

fn micro(time: Timestamp) -> String {
    format!("{time:.6}")
}

impl World {
    /// What a kubelet does again and again.
    async fn beat(&self) {
        let now = micro(Timestamp::now());
        self.patch(
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/windows",
            &json!({"spec": {"renewTime": now}}),
        )
        .await;
        let info = json!({"kernelVersion": "10.0.20348.2031", "operatingSystem": "windows",
            "containerRuntimeVersion": "containerd://1.7.1", "machineID": "", "systemUUID": "",
            "bootID": "", "osImage": "Windows Server 2022 Datacenter", "kubeletVersion": "v1.20.2",
            "kubeProxyVersion": "v1.20.2", "architecture": "amd64"});
        self.patch(
            NODE,
            &json!({"status": {"nodeInfo": info, "conditions": [
            {"type": "Ready", "status": "True", "lastHeartbeatTime": Timestamp::now().to_string(),
                "lastTransitionTime": "2020-01-01T00:00:00Z"}]}}),
        )
        .await;
    }

    /// The exit code and the report, checked by its schema.
    async fn doctor(&self) -> (i32, Value) {
        let (code, report) = self.report(&["doctor"]).await;
        crate::schema::check("doctor-report", &report);
        (code, report)
    }

    /// Examines until the report is so: caches of the API server lag behind.
    async fn until(&self, what: &str, fits: impl Fn(i32, &Value) -> bool) -> Value {
        let last = std::sync::Mutex::new(Value::Null);
        let wait = eventually(what, Duration::from_secs(20), || async {
            let (code, report) = self.doctor().await;
            let fitting = fits(code, &report);
            *last.lock().unwrap() = report["verdict"].clone();
            fitting.then_some(report)
        });
        let report = tokio::time::timeout(Duration::from_secs(15), wait).await;
        report.unwrap_or_else(|_| panic!("{what}: {:#}", last.lock().unwrap()))
    }

    async fn healthy(&self) {
        self.beat().await;
        self.until("the cluster is healthy", |code, report| {
            code == 0 && report["verdict"]["health"] == "healthy"
        })
        .await;
    }

    async fn plant(&self, fault: &Fault) -> Value {
        let object = self.get(fault.path).await;
        self.patch(fault.path, &(fault.patch)(&object)).await;
        object
    }

    /// Restores what was there.
    async fn restore(&self, fault: &Fault, mut object: Value) {
        object["metadata"] = json!({});
        let mut patch = object;
        if fault.path == VALIDATING {
            patch = json!({"webhooks": patch["webhooks"]});
        }
        self.patch(fault.path, &patch).await;
    }
}

async fn world(test: &str) -> Option<World> {
    let base = world::World::new(test).await?;
    let stand_in = base.stand_in(None).await;
    let world = World { base, _stand_in: stand_in };
    world.done(&["install"]).await;
    for object in [
        objects::credential_spec("web", "WebApp1"),
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "data": {"Corefile": COREFILE}}),
        json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "windows", "labels": {"kubernetes.io/os": "windows"}}}),
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "windows", "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": "windows"}}),
    ] {
        world.apply(&object).await;
    }
    Some(world)
}

fn causes(report: &Value) -> Vec<&str> {
    let causes = report["verdict"]["causes"].as_array().unwrap();
    causes.iter().map(|cause| cause["check"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_found_alone_and_silence_means_health() {
    let Some(world) = world("each_fault_is_found_alone_and_silence_means_health").await else {
        return;
    };
    world.healthy().await;
    for fault in &FAULTS {
        world.beat().await;
        let object = world.plant(fault).await;
        let report = world.until(fault.check, |_, report| causes(report) == [fault.check]).await;
        let found = report["outcomes"].as_array().unwrap();
        let found = found.iter().find(|one| one["check"] == fault.check && one["state"] != "ok");
        assert!(found.is_some_and(|one| one["state"] == fault.state), "{report:#}");
        world.restore(fault, object).await;
        world.healthy().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_faults_the_root_cause_is_named_first() {
    let Some(world) = world("of_two_faults_the_root_cause_is_named_first").await else { return };
    world.healthy().await;
    // Indices into the table: in that order they are named, whatever is planted first.
    for (first, second) in [(0, 7), (1, 5), (5, 7), (4, 5), (7, 8), (2, 3), (6, 9), (5, 9)] {
        world.beat().await;
        let (first, second) = (&FAULTS[first], &FAULTS[second]);
        let what = format!("{} before {}", first.check, second.check);
        let later = world.plant(second).await;
        let object = world.plant(first).await;
        world
            .until(&what, |code, report| code == 1 && causes(report) == [first.check, second.check])
            .await;
        world.restore(first, object).await;
        world.restore(second, later).await;
        world.healthy().await;
    }
}

#[test]
fn explain_lists_the_checks_and_shows_one() {
    let explain = |args: &[&str]| run(&[&["doctor", "explain"], args].concat());
    let list = explain(&[]).stdout;
    assert!(gmsa_core::diagnosis::all().all(|check| list.contains(check.id)), "{list}");
    let page = explain(&["dns-forwarding"]).stdout;
    for words in ["Cause:", "What to do:", "Source:", "docs/checks.md#dns-forwarding"] {
        assert!(page.contains(words), "{page}");
    }
    let finding = explain(&["sid-not-domain"]).stdout;
    assert!(finding.contains("docs/findings.md#sid-not-domain"), "{finding}");
    assert_eq!(explain(&["nothing"]).code, 2);
}
