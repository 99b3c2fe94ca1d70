//! `kubectl gmsa audit` on a real API server, and its memory with 20,000 pods.

#[cfg(target_os = "linux")]
mod replay;
mod written;

use std::path::Path;

use crate::support::{Ran, run_on};
use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::installation::{self, Version};
use gmsa_core::credspec::canonical_json;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::objects;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

struct Plane {
    plane: ControlPlane,
    applier: Applier,
}

impl Plane {
    /// Without controllers: workloads make no pods, and nothing happens that a test does not do.
    async fn start(test: &str) -> Option<Self> {
        let plane = ControlPlane::start_private(test, control_plane::Options::default()).await?;
        let applier = Applier::new(plane.client().await, "test", true);
        let definition = json!(gmsa_cluster::installation::definition::definition());
        let one = Self { plane, applier };
        one.apply(&definition).await;
        Some(one)
    }

    /// A resource is not there at once after its definition.
    async fn apply(&self, object: &Value) {
        let what = format!("{} is applied", object["metadata"]["name"]);
        gmsa_testkit::process::eventually(&what, std::time::Duration::from_secs(20), || async {
            self.applier.apply(object).await.ok().map(drop)
        })
        .await;
    }

    async fn namespace(&self, name: &str, labels: Value, accounts: &[&str]) {
        self.apply(&json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels}}))
            .await;
        for account in accounts {
            self.apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": account, "namespace": name}}))
                .await;
        }
    }

    async fn grant(&self, spec: &str, namespace: &str, account: &str) {
        self.apply(&objects::role(spec)).await;
        let mut binding = objects::binding(spec, namespace, account);
        binding["metadata"]["name"] = json!(format!("{spec}-{account}"));
        self.apply(&binding).await;
    }

    fn audit(&self, args: &[&str]) -> Ran {
        run_on(&self.plane.kubeconfig_path(), &[&["audit"], args].concat())
    }

    /// Code and object of each finding.
    fn found(&self, args: &[&str]) -> Vec<String> {
        let ran = self.audit(&[args, &["-o", "json"]].concat());
        assert_eq!(ran.stderr, "");
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        crate::schema::check("audit-report", &report);
        let mut found: Vec<String> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let text = |key: &str| one[key].as_str().unwrap();
                let of = one["namespace"].as_str().map(|of| format!("{of}/")).unwrap_or_default();
                format!("{} {} {of}{}", text("code"), text("kind"), text("name"))
            })
            .collect();
        found.sort();
        found
    }
}

fn pod(namespace: &str, name: &str, account: &str, context: &Value) -> Value {
    let mut pod = objects::pod(namespace, name, context);
    pod["spec"]["serviceAccountName"] = json!(account);
    // There is no controller that would make tokens.
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    pod
}

fn carried(spec: &str, account: &str) -> Value {
    objects::gmsa(Some(spec), Some(&canonical_json(&objects::contents(account))))
}

/// The validating configuration of an installation; the server behind it does not run, so that
/// pods come in as they did where another webhook or none looked at them.
fn configuration(plane: &ControlPlane) -> Value {
    let (major, minor) = plane.version();
    let objects = installation::objects(&installation::Options::default(), Version(major, minor));
    let is = |object: &&Value| object["kind"] == "ValidatingWebhookConfiguration";
    let mut configuration = objects.webhooks.iter().find(is).unwrap().clone();
    configuration["webhooks"][0]["failurePolicy"] = json!("Ignore");
    configuration["webhooks"][0]["namespaceSelector"] = json!({"matchExpressions": [
        {"key": "gmsa-webhook", "operator": "NotIn", "values": ["disabled"]}]});
    configuration
}

/// Adds an ephemeral container. Before 1.22 it cannot have a GMSA of its own.
async fn debug(plane: &ControlPlane, namespace: &str, pod: &str, context: &Value) {
    if !plane.at_least(1, 22) {
        return;
    }
    let container = json!({"name": "debug", "image": "debug", "securityContext": context});
    let patch = Patch::Strategic(json!({"spec": {"ephemeralContainers": [container]}}));
    let pods: Api<Pod> = Api::namespaced(plane.client().await, namespace);
    let params = PatchParams::default();
    pods.patch_subresource("ephemeralcontainers", pod, &params, &patch).await.unwrap();
}

#[tokio::test]
async fn each_planted_problem_is_found_once_and_none_on_a_clean_cluster() {
    let Some(plane) = Plane::start("each_planted_problem_is_found_once").await else { return };
    plane.namespace("shop", json!({}), &["web", "other", "spare"]).await;
    plane.apply(&objects::credential_spec("webapp1", "WebApp1")).await;
    plane.grant("webapp1", "shop", "web").await;
    let good = pod("shop", "good", "web", &carried("webapp1", "WebApp1"));
    plane.apply(&good).await;
    let template = pod("shop", "ok", "web", &objects::gmsa(Some("webapp1"), None));
    plane.apply(&objects::deployment("shop", "ok", &template)).await;

    assert_eq!(
        plane.found(&[]),
        ["webhook-missing ValidatingWebhookConfiguration gmsa-webhook"],
        "before an installation"
    );
    plane.apply(&configuration(&plane.plane)).await;
    let clean = plane.audit(&["--fail-on", "info"]);
    let text = "1 pod, 1 with a GMSA; 1 workload with a GMSA; 1 credential spec\n\
                0 errors, 0 warnings, 0 infos\n";
    assert_eq!((clean.stdout.as_str(), clean.code), (text, 0), "{}", clean.stderr);

    plant(&plane).await;
    let mut expected = vec![
        "account-not-listed GMSACredentialSpec bad",
        "credspec-unused GMSACredentialSpec idle",
        "fixed-hostname Pod shop/fixed-1",
        "gmsa-in-excluded-namespace Namespace out",
        "gmsa-in-several-containers Pod shop/several",
        "namespaces-excluded ValidatingWebhookConfiguration gmsa-webhook",
        "not-bound-to-windows Pod shop/linux",
        "pod-contents-differ Pod shop/differs",
        "pod-contents-without-name Pod shop/nameless",
        "pod-credspec-gone Pod shop/gone",
        "pod-not-expanded Pod shop/bare",
        "pod-without-right Pod shop/intruder",
        "right-unused ServiceAccount shop/spare",
        "role-names-no-credspec ClusterRole nowhere",
        "shared-hostname-prefix Pod shop/name-of-15-signs-and-more-1",
        "workload-would-be-denied CronJob shop/nightly",
        "workload-would-be-denied Deployment shop/no",
        "workload-would-be-denied ReplicaSet shop/rolled",
    ];
    if plane.plane.at_least(1, 22) {
        // Its ephemeral container, which older servers do not take.
        expected.push("gmsa-in-several-containers Pod shop/intruder");
    }
    if plane.plane.at_least(1, 23) {
        // Older servers drop the field.
        expected.push("gmsa-with-host-process Pod shop/of-the-host");
    }
    expected.sort_unstable();
    assert_eq!(plane.found(&[]), expected);
    assert_eq!(plane.found(&["-A"]), expected);
    let ephemeral =
        if plane.plane.at_least(1, 22) { ", ephemeral container \"debug\"" } else { "" };
    let intruder = format!(
        "init container \"setup\"{ephemeral}: carries the contents of credential spec \"webapp1\", \
         which service account \"other\" may not use"
    );
    let everything = plane.audit(&["-o", "wide"]);
    assert_eq!(everything.code, 1, "there are errors");
    for text in [
        intruder.as_str(),
        "-> If it may: kubectl gmsa grant webapp1 --to shop/other; else: kubectl delete pod",
        "-> kubectl gmsa grant webapp1 --to shop/other\n",
        "- Pod hidden\n",
        "- quiet\n",
        // No binding of `grant`.
        "If it is not needed: remove ServiceAccount shop/spare from RoleBinding shop/",
    ] {
        assert!(everything.stdout.contains(text), "{text}\n{}", everything.stdout);
    }
    assert!(!everything.stdout.contains("S-1-5-21"), "contents are shown");
    // Severities, the namespace, and time.
    assert_eq!(plane.found(&["-n", "out"]), ["gmsa-in-excluded-namespace Namespace out"]);
    assert_eq!(plane.found(&["-n", "quiet"]).len(), 1);
    assert_eq!(plane.audit(&["-n", "quiet"]).code, 0);
    assert_eq!(plane.audit(&["-n", "quiet", "--fail-on", "info"]).code, 1);
    let recent = plane.found(&["--since", "0s"]);
    assert!(recent.iter().all(|one| !one.contains(" Pod ")), "{recent:?}");
    let others = expected.iter().filter(|one| !one.contains(" Pod "));
    assert!(recent.iter().eq(others), "{recent:?}");
    assert_eq!(plane.found(&["--since", "1h"]), expected);
    assert_eq!(plane.audit(&["--since", "soon"]).code, 2);
    let yaml = plane.audit(&["-o", "yaml", "-n", "quiet"]).stdout;
    assert!(yaml.contains("kind: AuditReport") && yaml.contains("leftOut: 0"), "{yaml}");
    let sarif: Value = serde_json::from_str(&plane.audit(&["-o", "sarif"]).stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), expected.len());
    progress_is_for_terminals(&plane, if plane.plane.at_least(1, 23) { 13 } else { 12 });

    // Labels and conditions that leave pods out.
    plant_what_is_not_sent(&plane).await;
    let mut with = expected.clone();
    with.extend([
        "gmsa-not-sent Deployment shop/unseen",
        "gmsa-not-sent Pod shop/unseen",
        "webhook-may-skip-pods ValidatingWebhookConfiguration gmsa-webhook",
    ]);
    with.sort_unstable();
    assert_eq!(plane.found(&[]), with);
    let wide = plane.audit(&["-o", "wide"]).stdout;
    let selector = "- objectSelector of webhook validate.gmsa-webhook.kube-gmsa.dev\n";
    assert!(wide.contains(selector), "{wide}");
    let condition = "matchCondition \"mine\" of webhook";
    assert_eq!(wide.contains(condition), plane.plane.at_least(1, 28), "{wide}");
}

/// The number of pods is shown on a terminal, and nowhere else.
fn progress_is_for_terminals(plane: &Plane, count: usize) {
    // Of util-linux; it gives a program a terminal.
    let script = Path::new("/usr/bin/script");
    if !script.is_file() {
        gmsa_testkit::tools::skip("progress_is_for_terminals", "there is no /usr/bin/script");
        return;
    }
    let program = env!("CARGO_BIN_EXE_kubectl-gmsa");
    let output = std::process::Command::new(script)
        .args(["-qec", &format!("{program} audit"), "/dev/null"])
        .env("KUBECONFIG", plane.plane.kubeconfig_path())
        .output()
        .unwrap();
    let seen = String::from_utf8(output.stdout).unwrap();
    // It is overwritten with spaces: not every terminal understands escapes.
    let pods = format!("\r{count} pods\r{:20}\r", "");
    assert!(seen.contains(&pods), "{seen:?}");
    let piped = plane.audit(&[]);
    assert!(!piped.stdout.contains('\r') && piped.stderr.is_empty(), "{}", piped.stderr);
}

/// An object selector that excludes a pod and a Deployment, and a foreign match condition if
/// the API server supports them.
async fn plant_what_is_not_sent(plane: &Plane) {
    let mut changed = configuration(&plane.plane);
    let webhook = &mut changed["webhooks"][0];
    webhook["objectSelector"] = json!({"matchExpressions": [
        {"key": "checked", "operator": "NotIn", "values": ["no"]}]});
    if let Some(conditions) = webhook.get_mut("matchConditions") {
        let conditions = conditions.as_array_mut().unwrap();
        conditions.push(json!({"name": "mine", "expression": "request.name != 'mine'"}));
    }
    plane.apply(&changed).await;
    let mut unseen = pod("shop", "unseen", "web", &carried("webapp1", "WebApp1"));
    unseen["metadata"]["labels"] = json!({"checked": "no"});
    plane.apply(&unseen).await;
    let template = pod("shop", "unseen", "web", &objects::gmsa(Some("webapp1"), None));
    let mut deployment = objects::deployment("shop", "unseen", &template);
    deployment["spec"]["template"]["metadata"]["labels"]["checked"] = json!("no");
    plane.apply(&deployment).await;
}

/// Pods whose containers get in each other's way, or get no GMSA, and those that look alike.
async fn plant_containers_and_hostnames(plane: &Plane, own: &Value) {
    let mut several = pod("shop", "several", "web", &json!({}));
    several["spec"]["containers"] = json!([
        {"name": "iis", "image": "iis", "securityContext": own},
        {"name": "log", "image": "log", "securityContext": own}]);
    plane.apply(&several).await;
    for (prefix, hostname) in
        [("fixed-", json!("web")), ("name-of-15-signs-and-more-", json!(null))]
    {
        let mut replica = pod("shop", &format!("{prefix}1"), "web", own);
        replica["metadata"]["generateName"] = json!(prefix);
        replica["spec"]["hostname"] = hostname;
        plane.apply(&replica).await;
    }
    if plane.plane.at_least(1, 23) {
        let mut of_the_host = pod("shop", "of-the-host", "web", own);
        of_the_host["spec"]["hostNetwork"] = json!(true);
        of_the_host["spec"]["securityContext"]["windowsOptions"]["hostProcess"] = json!(true);
        plane.apply(&of_the_host).await;
    }
}

async fn plant(plane: &Plane) {
    for (name, account) in [("old", "Old"), ("idle", "Idle"), ("bad", "Bad")] {
        let mut spec = objects::credential_spec(name, account);
        if name == "bad" {
            spec["credspec"]["DomainJoinConfig"]["MachineAccountName"] = json!("Other");
        }
        plane.apply(&spec).await;
    }
    plane.grant("old", "shop", "web").await;
    plane.grant("bad", "shop", "web").await;
    plane.grant("webapp1", "shop", "spare").await;
    plane.apply(&objects::role("nowhere")).await;
    let disabled = json!({"gmsa-webhook": "disabled"});
    plane.namespace("out", disabled.clone(), &["web"]).await;
    plane.namespace("quiet", disabled, &[]).await;
    plane.grant("webapp1", "out", "web").await;
    let own = carried("webapp1", "WebApp1");
    plane.apply(&pod("out", "hidden", "web", &own)).await;

    let mut bad = objects::contents("Bad");
    bad["DomainJoinConfig"]["MachineAccountName"] = json!("Other");
    let bad = objects::gmsa(Some("bad"), Some(&canonical_json(&bad)));
    plane.apply(&pod("shop", "badspec", "web", &bad)).await;
    let mut intruder = pod("shop", "intruder", "other", &json!({}));
    intruder["spec"]["initContainers"] =
        json!([{"name": "setup", "image": "setup", "securityContext": own}]);
    plane.apply(&intruder).await;
    debug(&plane.plane, "shop", "intruder", &own).await;
    plane.apply(&pod("shop", "differs", "web", &carried("old", "Older"))).await;
    plane.apply(&pod("shop", "gone", "web", &carried("gone", "Gone"))).await;
    let nameless = canonical_json(&objects::contents("WebApp1"));
    plane.apply(&pod("shop", "nameless", "web", &objects::gmsa(None, Some(&nameless)))).await;
    let bare = objects::gmsa(Some("webapp1"), None);
    plane.apply(&pod("shop", "bare", "web", &bare)).await;
    let mut linux = pod("shop", "linux", "web", &own);
    linux["spec"]["nodeSelector"] = json!({});
    plane.apply(&linux).await;
    plant_containers_and_hostnames(plane, &own).await;

    plane.apply(&objects::deployment("shop", "no", &pod("shop", "no", "other", &bare))).await;
    // Findings of a set that an audited kind owns are reported for the owner; others for the set.
    for (name, owner) in [("no-1", "Deployment"), ("rolled", "Rollout")] {
        let mut set = objects::deployment("shop", name, &pod("shop", name, "other", &bare));
        set["kind"] = json!("ReplicaSet");
        set["metadata"]["ownerReferences"] = json!([{"apiVersion": "example.com/v1", "kind": owner,
            "name": "no", "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "controller": true}]);
        plane.apply(&set).await;
    }
    let mut nightly = pod("shop", "nightly", "web", &objects::gmsa(Some("gone"), None));
    nightly["spec"]["restartPolicy"] = json!("Never");
    let version = if plane.plane.at_least(1, 21) { "batch/v1" } else { "batch/v1beta1" };
    plane
        .apply(&json!({"apiVersion": version, "kind": "CronJob",
            "metadata": {"name": "nightly", "namespace": "shop"},
            "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template":
                {"spec": nightly["spec"]}}}}}))
        .await;
}
