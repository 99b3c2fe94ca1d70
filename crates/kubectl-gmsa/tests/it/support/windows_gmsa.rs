//! Installations of windows-gmsa: the objects that its script and its chart make, with our own
//! server in the place of its own, which decides and answers alike.

use std::sync::Arc;
use std::time::Duration;

use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::webhook;
use super::world::{SOON, World};

/// The server of an installation; it is killed as soon as its Deployment is gone.
pub struct Running {
    task: tokio::task::JoinHandle<()>,
    _files: TempDir,
}

impl Running {
    /// Starts it at the address of its Service.
    pub async fn start(world: &World, namespace: &str, name: &str, files: TempDir) -> Self {
        let services: Api<Service> = Api::namespaced(world.client.clone(), namespace);
        let address = eventually("the Service has an address", SOON, || async {
            services.get_opt(name).await.unwrap()?.spec?.cluster_ip
        })
        .await;
        let path = |file: &str| files.path().join(file).display().to_string();
        let args = [
            format!("--listen={address}"),
            "--https-port=443".to_owned(),
            format!("--kubeconfig={}", world.plane.kubeconfig_path().display()),
        ];
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (certificate, key) = (path("old.crt"), path("old.key"));
        let env = [("TLS_CRT", certificate.as_str()), ("TLS_KEY", key.as_str())];
        let program = webhook().program;
        let server = Server::start(program.to_str().unwrap(), &args, &env).await;
        let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), namespace);
        be_available(world, namespace, name).await;
        let name = name.to_owned();
        let uid = deployments.get(&name).await.unwrap().metadata.uid;
        let task = tokio::spawn(async move {
            let mut server = server;
            loop {
                if let Ok(found) = deployments.get_opt(&name).await
                    && found.and_then(|found| found.metadata.uid) != uid
                {
                    server.signal("KILL");
                    server.ended().await;
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Self { task, _files: files }
    }

    /// Waits until it was killed.
    pub async fn ended(&mut self) {
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The Deployment's pods are said to be ready.
async fn be_available(world: &World, namespace: &str, name: &str) {
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), namespace);
    let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), namespace);
    let its = ListParams::default().labels(&format!("app={name}"));
    let ready = json!({"status": {"phase": "Running", "conditions": [
        {"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}]}});
    eventually("the Deployment is available", SOON, || async {
        for pod in pods.list(&its).await.unwrap() {
            let name = pod.metadata.name.unwrap();
            let patch = Patch::Merge(&ready);
            let _ = pods.patch_status(&name, &PatchParams::default(), &patch).await;
        }
        let status = deployments.get(name).await.unwrap().status?;
        (status.available_replicas? > 0).then_some(())
    })
    .await;
}

/// A certificate for a Service, in files, and its CA in base64.
pub fn certificate(namespace: &str, name: &str) -> (TempDir, Value) {
    let authority = Authority::new("windows-gmsa");
    let pair = authority.server(&[&format!("{name}.{namespace}.svc")]);
    let files = tempfile::tempdir().unwrap();
    pair.write(files.path(), "old");
    let bundle = ByteString(authority.pem().as_bytes().to_vec());
    (files, serde_json::to_value(bundle).unwrap())
}

/// The resource definition that windows-gmsa brings: without what ours adds.
pub fn definition() -> Value {
    let mut definition = json!(gmsa_cluster::installation::definition::definition());
    definition["spec"]["names"].as_object_mut().unwrap().remove("shortNames");
    for version in definition["spec"]["versions"].as_array_mut().unwrap() {
        version.as_object_mut().unwrap().remove("additionalPrinterColumns");
    }
    definition
}

fn workload(namespace: &str, name: &str, secret: &Value, env: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {
                "serviceAccountName": name,
                "nodeSelector": {"kubernetes.io/os": "linux"},
                "containers": [{"name": name, "image": "example/webhook:v1", "env": env,
                    "ports": [{"containerPort": 443, "protocol": "TCP"}]}],
                "volumes": [{"name": "tls", "secret": secret}]}}}})
}

fn service(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": 443, "targetPort": 443, "protocol": "TCP"}], "selector": {"app": name}}})
}

fn account(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace}})
}

fn rights(namespace: &str, account: &str, role: &str, binding: &str) -> [Value; 2] {
    let group = "rbac.authorization.k8s.io";
    [
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole",
            "metadata": {"name": role}, "rules": [
                {"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"],
                    "verbs": ["get"]},
                {"apiGroups": ["authorization.k8s.io"],
                    "resources": ["localsubjectaccessreviews"], "verbs": ["create"]}]}),
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": binding},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role}}),
    ]
}

fn configurations(namespace: &str, name: &str, bundle: &Value, selector: &Value) -> [Value; 2] {
    [
        ("Mutating", "mutate", json!(["CREATE"])),
        ("Validating", "validate", json!(["CREATE", "UPDATE"])),
    ]
    .map(|(kind, path, operations)| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1",
                "kind": format!("{kind}WebhookConfiguration"), "metadata": {"name": name},
                "webhooks": [{"name": "admission-webhook.windows-gmsa.sigs.k8s.io",
                    "clientConfig": {"caBundle": bundle, "service": {"name": name,
                        "namespace": namespace, "path": format!("/{path}")}},
                    "rules": [{"operations": operations, "apiGroups": [""], "apiVersions": ["*"],
                        "resources": ["pods"]}],
                    "failurePolicy": "Fail", "admissionReviewVersions": ["v1", "v1beta1"],
                    "sideEffects": "None",
                    "namespaceSelector": {"matchExpressions": selector}}]})
    })
}

/// What the script makes under its default names, but for the configurations, and these.
pub fn by_script(bundle: &Value) -> (Vec<Value>, [Value; 2]) {
    let name = "gmsa-webhook";
    let role = "gmsa-webhook-gmsa-webhook-rbac-role";
    let secret = json!({"secretName": name, "items": [{"key": "tls_private_key", "path": "key"},
        {"key": "tls_certificate", "path": "crt"}]});
    let env =
        json!([{"name": "TLS_KEY", "value": "/tls/key"}, {"name": "TLS_CRT", "value": "/tls/crt"}]);
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"gmsa-webhook": "disabled"}}}),
        json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": name},
            "data": {"tls_private_key": "a2V5", "tls_certificate": "Y2VydA=="}}),
        account(name, name),
    ];
    objects.extend(rights(
        name,
        name,
        role,
        &format!("gmsa-webhook-gmsa-webhook-binding-to-{role}"),
    ));
    objects.push(workload(name, name, &secret, &env));
    objects.push(service(name, name));
    let selector = json!([{"key": "gmsa-webhook", "operator": "NotIn", "values": ["disabled"]}]);
    (objects, configurations(name, name, bundle, &selector))
}

/// What the chart makes for a release, in a namespace that is there.
pub fn by_chart(namespace: &str, release: &str, bundle: &Value) -> Vec<Value> {
    let secret = json!({"secretName": "gmsa-server-cert", "items":
        [{"key": "tls.key", "path": "key"}, {"key": "tls.crt", "path": "crt"}]});
    let env = json!([{"name": "TLS_KEY", "value": "/tls/key"}, {"name": "TLS_CRT", "value": "/tls/crt"},
        {"name": "HTTPS_PORT", "value": "443"}, {"name": "RANDOM_HOSTNAME", "value": "true"}]);
    let viewer = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": format!("{release}-viewer-role"),
            "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
        "rules": [{"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"],
            "verbs": ["get", "list", "watch"]}]});
    let mut objects = vec![account(namespace, release), viewer];
    objects.extend(rights(namespace, release, release, release));
    objects.push(workload(namespace, release, &secret, &env));
    objects.push(service(namespace, release));
    let selector = json!([
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [namespace]},
        {"key": "windows.k8s.io/disabled", "operator": "NotIn", "values": ["true"]}]);
    objects.extend(configurations(namespace, release, bundle, &selector));
    for object in &mut objects {
        object["metadata"]["labels"]["chart"] = json!("gmsa-0.14.1");
    }
    objects
}

/// What Rancher's chart makes without cert-manager: the chart's objects, one more right and a network
/// policy, under a label of its own.
pub fn by_rancher(namespace: &str, release: &str, bundle: &Value, chart: &str) -> Vec<Value> {
    let mut objects = vec![json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "default-allow-all", "namespace": namespace},
        "spec": {"podSelector": {}, "ingress": [{}], "egress": [{}],
            "policyTypes": ["Ingress", "Egress"]}})];
    objects.extend(by_chart(namespace, release, bundle));
    for object in &mut objects {
        object["metadata"]["labels"]["chart"] = json!(chart);
        if object["kind"] == "ClusterRole" && object["metadata"]["name"] == release {
            object["rules"][0]["verbs"] = json!(["get", "use"]);
        }
    }
    objects
}

/// A chart of these objects.
pub fn chart(name: &str, objects: &[Value]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: 0.13.0\n");
    std::fs::write(directory.path().join("Chart.yaml"), metadata).unwrap();
    std::fs::create_dir(directory.path().join("templates")).unwrap();
    for (index, object) in objects.iter().enumerate() {
        let file = directory.path().join(format!("templates/{index}.yaml"));
        std::fs::write(file, object.to_string()).unwrap();
    }
    directory
}

/// Steady creation of pods; it counts what must not happen.
pub struct Load {
    stop: Arc<std::sync::atomic::AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<(usize, Vec<String>)>>,
}

impl Load {
    /// In `web` a pod may use its GMSA, in `other` not.
    pub fn start(world: &Arc<World>) -> Self {
        use std::sync::atomic::{AtomicBool, Ordering};
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for kind in ["allowed", "forbidden", "plain"] {
            let (world, stop) = (Arc::clone(world), Arc::clone(&stop));
            tasks.push(tokio::spawn(async move {
                let (mut count, mut wrong) = (0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    let answer = match kind {
                        "allowed" => world.admit("web").await,
                        "forbidden" => match world.admit("other").await {
                            Err(why) if why.contains("is not authorized") => Ok(()),
                            Err(why) => Err(why),
                            Ok(()) => Err("admitted".to_owned()),
                        },
                        _ => world.plain("web").await,
                    };
                    count += 1;
                    wrong.extend(answer.err().map(|why| format!("{kind} {count}: {why}")));
                }
                (count, wrong)
            }));
        }
        Self { stop, tasks }
    }

    /// Ends it: every creation must have been answered as it should.
    pub async fn assert_unharmed(self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        for task in self.tasks {
            let (count, wrong) = task.await.unwrap();
            assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
            assert!(count > 20, "only {count} pods were created");
        }
    }
}

/// Applies objects as kubectl does.
pub async fn plant(world: &World, objects: &[Value]) {
    let applier = Applier::new(world.client.clone(), "kubectl-client-side-apply", true);
    for object in objects {
        let what = format!("{} is taken", gmsa_cluster::api::apply::shown(object));
        eventually(&what, SOON, || async { applier.apply(object).await.ok() }).await;
    }
}
