//! The audit as the `CronJob` runs it: with its own rights, into a real API server, and out again as
//! metrics of a server with the server's rights.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use crate::support::{PROGRAM, SOON};
use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::installation::{self, Version};
use gmsa_core::credspec::canonical_json;
use gmsa_core::names::{AUDIT, NAME};
use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::Client;
use kube::api::{Api, DeleteParams};
use serde_json::{Value, json};

/// What the garbage collector needs to hear of a new kind.
const LATER: Duration = Duration::from_mins(2);
const REPORTS: &str = "wgpolicyk8s.io/v1alpha2";
const OPEN_REPORTS: &str = "openreports.io/v1alpha1";

struct World {
    plane: ControlPlane,
    client: Client,
    applier: Applier,
}

impl World {
    /// The objects that an installation with the audit makes, but for what sends pods.
    async fn new(test: &str) -> Option<Self> {
        let options = Options { with_controller_manager: true, ..Options::default() };
        let plane = ControlPlane::start_private(test, options).await?;
        let client = plane.client().await;
        let applier = Applier::new(client.clone(), "test", true);
        let world = Self { plane, client, applier };
        let (major, minor) = world.plane.version();
        let options = installation::Options {
            audit: true,
            // Only when the test says so.
            audit_schedule: "0 0 1 1 *".to_owned(),
            replicas: 0,
            ..installation::Options::default()
        };
        for object in installation::objects(&options, Version(major, minor)).base {
            world.apply(&object).await;
        }
        Some(world)
    }

    async fn apply(&self, object: &Value) {
        let what = format!("{} is applied", object["metadata"]["name"]);
        eventually(&what, SOON, || async { self.applier.apply(object).await.ok() }).await;
    }

    async fn kubeconfig(&self, account: &str) -> PathBuf {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), NAME);
        eventually("the service account exists", SOON, || async {
            accounts.get_opt(account).await.unwrap()
        })
        .await;
        self.plane.token_kubeconfig(NAME, account).await
    }

    /// Runs what the `CronJob` of the cluster would run.
    async fn run(&self) -> Output {
        let version = if self.plane.at_least(1, 21) { "batch/v1" } else { "batch/v1beta1" };
        let job = json!({"apiVersion": version, "kind": "CronJob",
            "metadata": {"name": AUDIT, "namespace": NAME}});
        let job = self.applier.live(&job).await.unwrap().unwrap();
        let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        let args: Vec<&str> = pod["containers"][0]["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|arg| arg.as_str().unwrap())
            .collect();
        let kubeconfig = self.kubeconfig(pod["serviceAccountName"].as_str().unwrap()).await;
        let mut command = tokio::process::Command::new(PROGRAM);
        command.env_clear().args(args).env("GMSA_KUBECONFIG", kubeconfig);
        // What the pod's own service account says.
        command.env("GMSA_NAMESPACE", NAME);
        command.output().await.unwrap()
    }

    /// Runs it to a good end, and returns the last line of its log.
    async fn audited(&self) -> Value {
        let output = self.run().await;
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        assert!(!log.contains("\"WARN\""), "{log}");
        serde_json::from_str(log.lines().last().unwrap()).unwrap()
    }

    async fn config_map(&self) -> ConfigMap {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), NAME);
        maps.get(AUDIT).await.unwrap()
    }

    async fn live(&self, kind: &str, namespace: Option<&str>) -> Option<Value> {
        let api_version = if kind.contains("Policy") { REPORTS } else { OPEN_REPORTS };
        let mut object =
            json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": AUDIT}});
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        self.applier.live(&object).await.unwrap()
    }

    /// A server as the installation runs it, but for its certificate.
    async fn server(&self) -> Server {
        let pair = Authority::new("test").server(&["localhost"]);
        let (certificate, key) = pair.write(self.plane.dir(), "webhook");
        let flags = [
            format!("--kubeconfig={}", self.kubeconfig(NAME).await.display()),
            format!("--tls-cert={}", certificate.display()),
            format!("--tls-key={}", key.display()),
            format!("--namespace={NAME}"),
            "--audit-results=true".to_owned(),
        ];
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Server::start(PROGRAM, &flags, &[]).await
    }

    /// Something of each severity, in two namespaces and in none.
    async fn plant(&self) {
        for namespace in ["shop", "stock"] {
            self.apply(&json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace}}))
                .await;
        }
        let mut spec = objects::credential_spec("webapp1", "WebApp1");
        spec["credspec"]["DomainJoinConfig"]["Sid"] = json!("S-1-5-21-1-2-3-1104");
        self.apply(&spec).await;
        let contents = canonical_json(&objects::contents("WebApp1"));
        let mut pod = objects::pod("shop", "intruder", &gmsa(Some("webapp1"), Some(&contents)));
        pod["spec"]["automountServiceAccountToken"] = json!(false);
        self.apply(&pod).await;
        let template = objects::pod("stock", "next", &gmsa(Some("nowhere"), None));
        let mut next = objects::deployment("stock", "next", &template);
        // A template that nobody makes a pod of yet.
        next["spec"]["replicas"] = json!(0);
        self.apply(&next).await;
        self.apply(&objects::credential_spec("idle", "Idle")).await;
    }
}

/// The resource definitions of the policy working group's v1alpha2 and of OpenReports, in what they
/// demand: types, the words of `result` and `severity`, and what is required. The levels are those of
/// the first edition, which later ones only added to.
fn definition(api_version: &str, kind: &str, plural: &str, scope: &str) -> Value {
    let (group, version) = api_version.split_once('/').unwrap();
    let text = json!({"type": "string"});
    let reference = json!({"type": "object", "properties": {"apiVersion": text, "kind": text,
        "namespace": text, "name": text, "uid": text, "fieldPath": text, "resourceVersion": text}});
    let result = json!({"type": "object", "required": ["policy"], "properties": {
        "source": text, "policy": text, "rule": text, "category": text, "message": text,
        "result": {"type": "string", "enum": ["pass", "fail", "warn", "error", "skip"]},
        "severity": {"type": "string", "enum": ["high", "low", "medium"]},
        "scored": {"type": "boolean"},
        "properties": {"type": "object", "additionalProperties": text},
        "resources": {"type": "array", "items": reference},
        "timestamp": {"type": "object", "required": ["seconds", "nanos"], "properties": {
            "seconds": {"type": "integer", "format": "int64"},
            "nanos": {"type": "integer", "format": "int32"}}},
    }});
    let number = json!({"type": "integer"});
    let summary = json!({"type": "object", "properties": {"pass": number, "fail": number,
        "warn": number, "error": number, "skip": number}});
    let schema = json!({"type": "object", "properties": {"apiVersion": text, "kind": text,
        "metadata": {"type": "object"}, "scope": reference, "summary": summary,
        "results": {"type": "array", "items": result}}});
    let mut definition = json!({"apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(),
                "listKind": format!("{kind}List")}}});
    definition["spec"]["versions"] = json!([{"name": version, "served": true, "storage": true,
        "schema": {"openAPIV3Schema": schema}}]);
    definition
}

/// Rule, result, severity and object of each result.
fn results(report: &Value) -> Vec<String> {
    let results = report["results"].as_array().unwrap().iter();
    let shown = |one: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        for key in ["source", "message", "category", "policy"] {
            assert!(one[key].is_string(), "{key} is gone: {one}");
        }
        assert!(one["properties"]["remedy"].is_string() && one["timestamp"]["nanos"] == 0);
        let object = &one["resources"][0];
        format!(
            "{} {} {} {} {} {}",
            text(&one["rule"]),
            text(&one["result"]),
            text(&one["severity"]),
            text(&object["apiVersion"]),
            text(&object["kind"]),
            text(&object["name"])
        )
    };
    results.map(shown).collect()
}

#[tokio::test]
async fn the_cron_job_keeps_its_result_and_the_server_counts_it() {
    let test = "the_cron_job_keeps_its_result_and_the_server_counts_it";
    let Some(world) = World::new(test).await else { return };
    world.plant().await;
    let server = world.server().await;
    let errors = r#"gmsa_audit_findings{severity="error"}"#;
    assert_eq!(server.metric(errors).await, 0.0);
    let page = gmsa_testkit::https::plain_get(server.metrics, "/metrics").await;
    assert!(!page.contains("gmsa_audit_findings{"), "nothing before the first audit");

    // Without policy reports the ConfigMap holds the findings.
    let said = world.audited().await;
    assert_eq!(
        (&said["message"], &said["config_map"]),
        (&json!("audited"), &json!("gmsa-webhook/gmsa-webhook-audit"))
    );
    assert_eq!(
        (&said["errors"], &said["pods"], &said["left_out"]),
        (&json!(4), &json!(1), &json!(0))
    );
    let data = world.config_map().await.data.unwrap();
    let value = |key: &str| data.get(key).map(String::as_str);
    assert_eq!((value("errors"), value("complete")), (Some("4"), Some("true")));
    assert_eq!(value("findings"), Some("report.json"));
    let report: Value = serde_json::from_str(value("report.json").unwrap()).unwrap();
    let codes: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "sid-not-domain",
            "pod-without-right",
            "workload-would-be-denied",
            "webhook-missing",
            "shared-hostname-prefix",
            "credspec-unused"
        ],
        "{report:#}"
    );
    assert_eq!(report["summary"]["errors"], json!(4));
    let whole = format!("{data:?}");
    for contents in ["S-1-5-21-1-2-3", "contoso", "CONTOSO", "244818ae"] {
        assert!(!whole.contains(contents), "{contents} in {whole}");
    }
    eventually("the server counts", SOON, || async {
        (server.metric(errors).await == 4.0).then_some(())
    })
    .await;
    assert_eq!(server.metric(r#"gmsa_audit_findings{severity="info"}"#).await, 1.0);
    let ended = server.metric("gmsa_audit_timestamp_seconds{}").await;
    let kept: k8s_openapi::jiff::Timestamp = value("time").unwrap().parse().unwrap();
    assert_eq!(format!("{ended}"), kept.as_second().to_string());

    // With them each namespace has its own report, and the ConfigMap only the numbers.
    with_policy_reports(&world).await;

    // A finding whose cause is fixed disappears.
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(world.client.clone(), "shop");
    pods.delete("intruder", &DeleteParams::default().grace_period(0)).await.unwrap();
    eventually("the pod is gone", SOON, || async {
        pods.get_opt("intruder").await.unwrap().is_none().then_some(())
    })
    .await;
    world.audited().await;
    assert!(world.live("PolicyReport", Some("shop")).await.is_none(), "an old report stays");
    assert!(world.live("PolicyReport", Some("stock")).await.is_some());
    eventually("the server counts again", SOON, || async {
        (server.metric(errors).await == 3.0).then_some(())
    })
    .await;

    with_open_reports(&world).await;

    // With the option goes what it left: all belongs to its role.
    let roles: Api<k8s_openapi::api::rbac::v1::ClusterRole> = Api::all(world.client.clone());
    roles.delete(AUDIT, &DeleteParams::default()).await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), NAME);
    eventually("the results are collected", LATER, || async {
        let map = maps.get_opt(AUDIT).await.unwrap();
        let report = world.live("ClusterReport", None).await;
        let of_stock = world.live("Report", Some("stock")).await;
        (map.is_none() && report.is_none() && of_stock.is_none()).then_some(())
    })
    .await;
    eventually("the server shows none", SOON, || async {
        let page = gmsa_testkit::https::plain_get(server.metrics, "/metrics").await;
        (!page.contains("gmsa_audit_findings{")).then_some(())
    })
    .await;
}

/// Plants definitions, and waits until their kinds are served.
async fn serve(world: &World, api_version: &str, kinds: [(&str, &str, &str); 2]) {
    for (kind, plural, scope) in kinds {
        world.apply(&definition(api_version, kind, plural, scope)).await;
    }
    eventually("reports are served", SOON, || async {
        let list = world.client.list_api_group_resources(api_version).await.ok()?;
        (list.resources.len() >= 2).then_some(())
    })
    .await;
}

/// Where OpenReports are served too, they are written, and the others go.
async fn with_open_reports(world: &World) {
    let kinds =
        [("Report", "reports", "Namespaced"), ("ClusterReport", "clusterreports", "Cluster")];
    serve(world, OPEN_REPORTS, kinds).await;
    let old = world.live("PolicyReport", Some("stock")).await.unwrap();
    let said = world.audited().await;
    assert_eq!(
        (&said["policy_reports"], &said["reports_api"]),
        (&json!(2), &json!(OPEN_REPORTS)),
        "{said}"
    );
    let stock = world.live("Report", Some("stock")).await.unwrap();
    assert_eq!(results(&stock), results(&old));
    assert!(world.live("ClusterReport", None).await.is_some());
    assert!(world.live("PolicyReport", Some("stock")).await.is_none(), "an old report stays");
    assert!(world.live("ClusterPolicyReport", None).await.is_none(), "an old report stays");
    let data = world.config_map().await.data.unwrap();
    let place = format!("policy reports ({OPEN_REPORTS})");
    assert_eq!(data.get("findings"), Some(&place));
}

/// Plants the definitions, audits again, and looks at every report.
async fn with_policy_reports(world: &World) {
    let kinds = [
        ("PolicyReport", "policyreports", "Namespaced"),
        ("ClusterPolicyReport", "clusterpolicyreports", "Cluster"),
    ];
    serve(world, REPORTS, kinds).await;
    let said = world.audited().await;
    assert_eq!(said["policy_reports"], json!(3), "{said}");
    let whole = world.live("ClusterPolicyReport", None).await.unwrap();
    assert_eq!(
        results(&whole),
        [
            "sid-not-domain fail high windows.k8s.io/v1 GMSACredentialSpec webapp1",
            "webhook-missing fail high admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration gmsa-webhook",
            "credspec-unused warn low windows.k8s.io/v1 GMSACredentialSpec idle",
        ]
    );
    assert_eq!(whole["summary"], json!({"pass": 0, "fail": 2, "warn": 1, "error": 0, "skip": 0}));
    let shop = world.live("PolicyReport", Some("shop")).await.unwrap();
    assert_eq!(results(&shop), ["pod-without-right fail high v1 Pod intruder"]);
    let stock = world.live("PolicyReport", Some("stock")).await.unwrap();
    assert_eq!(
        results(&stock),
        [
            "workload-would-be-denied fail high apps/v1 Deployment next",
            "shared-hostname-prefix warn medium apps/v1 Deployment next"
        ]
    );
    assert!(!format!("{whole}{shop}{stock}").contains("S-1-5-21-1-2-3"));
    let data = world.config_map().await.data.unwrap();
    assert_eq!(
        data.get("findings").map(String::as_str),
        Some("policy reports (wgpolicyk8s.io/v1alpha2)")
    );
    assert_eq!((data.get("report.json"), data["errors"].as_str()), (None, "4"));
}

#[tokio::test]
async fn without_its_rights_it_names_what_is_missing() {
    let test = "without_its_rights_it_names_what_is_missing";
    let Some(world) = World::new(test).await else { return };
    let roles: Api<k8s_openapi::api::rbac::v1::Role> = Api::namespaced(world.client.clone(), NAME);
    roles.delete(AUDIT, &DeleteParams::default()).await.unwrap();
    let said = eventually("the right is gone", SOON, || async {
        let output = world.run().await;
        (output.status.code() == Some(1)).then(|| String::from_utf8(output.stderr).unwrap())
    })
    .await;
    assert!(said.contains("failed to keep the result of the audit"), "{said}");
    assert!(said.contains("configmap/gmsa-webhook-audit") && said.contains("forbidden"), "{said}");
}
