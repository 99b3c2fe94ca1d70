//! Early warnings as people see them: in the output of the real kubectl.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{SOON, install_definition};
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use gmsa_testkit::{shared, tools};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::Api;
use serde_json::{Value, json};

/// The label that says which test's webhook sees a namespace, or a credential spec.
const LABEL: &str = "gmsa-testkit/early";

/// A server with the rights that an installation with early warnings gives it.
struct World {
    cluster: Cluster,
    kubectl: PathBuf,
    server: Server,
    namespace: String,
    label: String,
}

impl World {
    async fn new(test: &str) -> Option<Self> {
        let kubectl = tools::find(test, "kubectl")?;
        let cluster = shared::cluster(test).await?;
        install_definition(&cluster).await;
        let label = cluster.unique("early");
        let namespace = cluster.namespace_with_labels("early", &json!({LABEL: label})).await;
        let (major, minor) = cluster.version;
        let options = gmsa_cluster::installation::Options {
            namespace: namespace.clone(),
            early_warnings: true,
            ..Default::default()
        };
        let installed = gmsa_cluster::installation::objects(
            &options,
            gmsa_cluster::installation::Version(major, minor),
        );
        // The very roles, under names of this test's own.
        for object in &installed.base {
            let kind = object["kind"].as_str().unwrap();
            if !["ServiceAccount", "ClusterRole", "ClusterRoleBinding"].contains(&kind) {
                continue;
            }
            let mut object = object.clone();
            if kind != "ServiceAccount" {
                let own = |name: &Value| json!(format!("{label}-{}", name.as_str().unwrap()));
                object["metadata"]["name"] = own(&object["metadata"]["name"]);
                if kind == "ClusterRoleBinding" {
                    object["roleRef"]["name"] = own(&object["roleRef"]["name"]);
                }
            }
            cluster.apply(&object).await;
        }
        let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), &namespace);
        eventually("the service account exists", SOON, || async {
            accounts.get_opt("gmsa-webhook").await.unwrap()
        })
        .await;
        let kubeconfig = cluster.token_kubeconfig(&namespace, "gmsa-webhook").await;
        let authority = Authority::new("test");
        let server =
            crate::support::server(&cluster, &authority, &kubeconfig, &["--early-warnings"]).await;
        let world = Self { cluster, kubectl, server, namespace, label };
        world.register(&installed.webhooks, world.server.https, authority.pem()).await;
        Some(world)
    }

    /// The configuration as installed, but for what this test owns, and by an address.
    async fn register(&self, webhooks: &[Value], server: SocketAddr, ca: &str) {
        let name = gmsa_core::names::EARLY_WARNINGS;
        let found = webhooks.iter().find(|one| one["metadata"]["name"] == name);
        let mut object = found.unwrap().clone();
        object["metadata"]["name"] = json!(self.label);
        for webhook in object["webhooks"].as_array_mut().unwrap() {
            let path = webhook["clientConfig"]["service"]["path"].as_str().unwrap().to_owned();
            let ca = k8s_openapi::ByteString(ca.as_bytes().to_vec());
            webhook["clientConfig"] = json!({
                "url": format!("https://localhost:{}{path}", server.port()), "caBundle": ca});
            let own = json!({"matchLabels": {LABEL: self.label}});
            let selector = if path == "/warn" { "namespaceSelector" } else { "objectSelector" };
            webhook[selector] = own;
        }
        self.cluster.apply(&object).await;
    }

    /// What kubectl says, standard output and error in one; it must succeed.
    async fn run(&self, args: &[&str], input: Option<&Value>) -> String {
        let mut command = Command::new(&self.kubectl);
        let home = self.cluster.files().to_owned();
        command.env("HOME", home).env("KUBECONFIG", &self.cluster.kubeconfig).args(args);
        let input = input.map(Value::to_string).unwrap_or_default();
        let done = tokio::task::spawn_blocking(move || {
            use std::io::Write as _;

            let pipe = |command: &mut Command| {
                command
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            };
            let mut child = pipe(&mut command);
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        });
        let output = done.await.unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "{args:?}: {said}");
        said
    }

    async fn apply(&self, object: &Value) -> String {
        // Which schema the server publishes is not what is asked here.
        self.run(&["apply", "--validate=false", "-f", "-"], Some(object)).await
    }

    /// A credential spec with a name of its own that the webhook sees.
    fn spec(&self) -> (String, Value) {
        let name = self.cluster.unique("spec");
        let mut object = objects::credential_spec(&name, "WebApp1");
        object["metadata"]["labels"] = json!({LABEL: self.label});
        (name, object)
    }

    fn deployment(&self, name: &str, spec: &str) -> Value {
        let pod = objects::pod(&self.namespace, name, &gmsa(Some(spec), None));
        objects::deployment(&self.namespace, name, &pod)
    }
}

fn warnings(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("Warning: ")).collect()
}

#[tokio::test]
async fn kubectl_apply_warns_about_the_denials_of_a_workloads_pods() {
    let test = "kubectl_apply_warns_about_the_denials_of_a_workloads_pods";
    let Some(world) = World::new(test).await else { return };
    let (name, spec) = world.spec();
    world.cluster.apply(&spec).await;
    let denied = world.deployment("denied", &name);
    // The configuration is in force a moment after it was made.
    let seen = eventually("a warning", SOON, || async {
        let said = world.apply(&denied).await;
        let warnings: Vec<String> = warnings(&said).into_iter().map(str::to_owned).collect();
        if warnings.is_empty() {
            world.run(&["delete", "-n", &world.namespace, "deployment", "denied"], None).await;
            return None;
        }
        Some(warnings)
    })
    .await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    for words in [
        "Warning: gmsa: its pods will be denied: the pod template: ",
        "service account \"default\" is not authorized to `use` GMSA cred spec",
        &name,
    ] {
        assert!(seen[0].contains(words), "{words}: {seen:?}");
    }

    // Each kind that makes pods, at its own depth.
    let template = denied["spec"]["template"].clone();
    let mut job = json!({"template": {"spec": template["spec"]}});
    job["template"]["spec"]["restartPolicy"] = json!("Never");
    let labels = json!({"matchLabels": {"app": "denied"}});
    let cron = if world.cluster.at_least(1, 21) { "batch/v1" } else { "batch/v1beta1" };
    for (api_version, kind, body) in [
        (
            "apps/v1",
            "StatefulSet",
            json!({"serviceName": "x", "selector": labels, "template": template}),
        ),
        ("apps/v1", "DaemonSet", json!({"selector": labels, "template": template})),
        ("apps/v1", "ReplicaSet", json!({"selector": labels, "template": template})),
        ("batch/v1", "Job", job.clone()),
        (cron, "CronJob", json!({"schedule": "@yearly", "jobTemplate": {"spec": job}})),
    ] {
        let object = json!({"apiVersion": api_version, "kind": kind, "spec": body,
            "metadata": {"name": "each", "namespace": world.namespace}});
        let said = world.apply(&object).await;
        let found = warnings(&said);
        assert!(
            found.iter().any(|one| one.contains("is not authorized to `use`")),
            "{kind}: {said}"
        );
    }

    // Neither a workload that may use it nor one without a GMSA causes a warning.
    world.cluster.apply(&objects::role(&name)).await;
    world.cluster.apply(&objects::binding(&name, &world.namespace, "default")).await;
    eventually("the right is known", SOON, || async {
        let said = world.apply(&world.deployment("good", &name)).await;
        if warnings(&said).is_empty() {
            return Some(());
        }
        world.run(&["delete", "-n", &world.namespace, "deployment", "good"], None).await;
        None
    })
    .await;
    let plain = objects::pod(&world.namespace, "plain", &json!({}));
    let said = world.apply(&objects::deployment(&world.namespace, "plain", &plain)).await;
    assert!(warnings(&said).is_empty(), "{said}");

    let sample = r#"gmsa_admission_requests_total{endpoint="warn",operation="create",decision="warned",code="200"}"#;
    assert!(world.server.metric(sample).await >= 6.0);
}

#[tokio::test]
async fn kubectl_warns_about_findings_and_users_of_a_credential_spec() {
    let test = "kubectl_warns_about_findings_and_users_of_a_credential_spec";
    let Some(world) = World::new(test).await else { return };
    let (name, mut spec) = world.spec();
    spec["credspec"]["DomainJoinConfig"]["Sid"] = json!("S-1-5-21-1-2-3-1104");
    eventually("a warning", SOON, || async {
        let said = world.apply(&spec).await;
        let found = warnings(&said).iter().any(|one| one.contains("(sid-not-domain)"));
        if !found {
            world.run(&["delete", "gmsacredentialspec", &name], None).await;
        }
        found.then_some(())
    })
    .await;
    let (_, good) = world.spec();
    let said = world.apply(&good).await;
    assert!(warnings(&said).is_empty(), "{said}");
    let unused = good["metadata"]["name"].as_str().unwrap();
    let said = world.run(&["delete", "gmsacredentialspec", unused], None).await;
    assert!(warnings(&said).is_empty(), "{said}");

    world.cluster.apply(&objects::role(&name)).await;
    world.cluster.apply(&world.deployment("web", &name)).await;
    let mut pod = objects::pod(&world.namespace, "bare", &gmsa(Some(&name), None));
    pod["spec"]["nodeName"] = json!("nowhere");
    world.cluster.apply(&pod).await;
    let said = world.run(&["delete", "gmsacredentialspec", &name, "--dry-run=server"], None).await;
    let dry = warnings(&said).len();
    let said = world.run(&["delete", "gmsacredentialspec", &name], None).await;
    let found = warnings(&said);
    assert_eq!(found.len(), dry, "{said}");
    let has = |words: &str| found.iter().any(|one| one.contains(words));
    let namespace = &world.namespace;
    assert!(has(&format!("is used by Deployment {namespace}/web: no new pod")), "{said}");
    assert!(has(", which keep it until they end: "), "{said}");
    assert!(has(&format!("{namespace}/bare")), "{said}");
    assert!(has(&format!("also for a new one of that name: ClusterRole {name}")), "{said}");
    assert!(!has("could not be seen in full"), "{said}");

    // Without the rights that come with the option nothing is refused, and that is said.
    let binding = format!("{}-{}", world.label, gmsa_core::names::EARLY_WARNINGS);
    world.run(&["delete", "clusterrolebinding", &binding], None).await;
    let words = "the webhook may not list pods, deployments, replicasets, statefulsets, daemonsets";
    eventually("the warning that it may not look", SOON, || async {
        let (name, spec) = world.spec();
        world.apply(&spec).await;
        let said = world.run(&["delete", "gmsacredentialspec", &name], None).await;
        warnings(&said).iter().any(|one| one.contains(words)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn early_warnings_that_are_down_block_nothing() {
    let test = "early_warnings_that_are_down_block_nothing";
    let Some(mut world) = World::new(test).await else { return };
    let (name, spec) = world.spec();
    world.cluster.apply(&spec).await;
    eventually("a warning", SOON, || async {
        let said = world.apply(&world.deployment("first", &name)).await;
        if warnings(&said).is_empty() {
            world.run(&["delete", "-n", &world.namespace, "deployment", "first"], None).await;
            return None;
        }
        Some(())
    })
    .await;
    world.server.signal("KILL");
    world.server.ended().await;
    let said = world.apply(&world.deployment("second", &name)).await;
    assert!(warnings(&said).is_empty() && said.contains("deployment.apps/second"), "{said}");
    let said = world.run(&["delete", "gmsacredentialspec", &name], None).await;
    assert!(said.contains("deleted"), "{said}");
}

#[tokio::test]
async fn without_the_option_nothing_answers_there() {
    let Some(cluster) = shared::cluster("without_the_option_nothing_answers_there").await else {
        return;
    };
    install_definition(&cluster).await;
    let authority = Authority::new("test");
    let kubeconfig: &Path = &cluster.kubeconfig.clone();
    let server = crate::support::server(&cluster, &authority, kubeconfig, &[]).await;
    let https = gmsa_testkit::https::Https::new(server.https, authority.pem());
    for path in ["/warn", "/validate-credspec"] {
        let json = Some("application/json");
        let request = https.request(http::Method::POST, path, json, "{}".to_owned());
        assert_eq!(https.send(request).await.unwrap().status.as_u16(), 404, "{path}");
    }
}
