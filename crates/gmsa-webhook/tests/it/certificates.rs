//! Certificates that the server manages, on a real API server that reaches it by its Service.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{PROGRAM, SOON, install_definition};
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::objects;
use gmsa_testkit::process::{eventually, free_port};
use gmsa_testkit::server::Server;
use gmsa_testkit::shared;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{Event, Pod, Secret};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

const SECRET: &str = "gmsa-webhook-certificates";

/// A server with the least rights, which API servers reach by its Service.
struct Managed {
    cluster: Cluster,
    namespace: String,
    kubeconfig: PathBuf,
    port: u16,
    spec: String,
}

impl Managed {
    async fn new(test: &str) -> Option<Self> {
        let cluster = shared::cluster(test).await?;
        install_definition(&cluster).await;
        let namespace = cluster.unique("managed");
        let labels = json!({"gmsa-testkit/managed": namespace});
        cluster
            .apply(&json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace, "labels": labels}}))
            .await;
        let port = free_port();
        let spec = cluster.unique("spec");
        cluster.apply(&objects::credential_spec(&spec, "WebApp1")).await;
        cluster.apply(&objects::role(&spec)).await;
        cluster.apply(&objects::binding(&spec, &namespace, "default")).await;
        for object in rights(&namespace) {
            cluster.apply(&object).await;
        }
        cluster
            .apply(&json!({"apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "gmsa-webhook", "namespace": namespace},
                "spec": {"type": "ExternalName", "externalName": "localhost"}}))
            .await;
        let kubeconfig = eventually("the service account exists", SOON, || async {
            let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> =
                Api::namespaced(cluster.client.clone(), &namespace);
            accounts.get("default").await.ok()?;
            Some(cluster.token_kubeconfig(&namespace, "gmsa-webhook").await)
        })
        .await;
        Some(Self { cluster, namespace, kubeconfig, port, spec })
    }

    /// Registers the webhooks without a CA bundle, as an installer does.
    async fn register(&self) {
        for (kind, path) in [
            ("MutatingWebhookConfiguration", "/mutate"),
            ("ValidatingWebhookConfiguration", "/validate"),
        ] {
            self.cluster
                .apply(&json!({
                    "apiVersion": "admissionregistration.k8s.io/v1",
                    "kind": kind,
                    "metadata": {"name": self.namespace},
                    "webhooks": [{
                        "name": "admission.gmsa.test",
                        "admissionReviewVersions": ["v1"],
                        "sideEffects": "None",
                        "failurePolicy": "Fail",
                        "timeoutSeconds": 5,
                        "namespaceSelector":
                            {"matchLabels": {"gmsa-testkit/managed": self.namespace}},
                        "rules": [{"apiGroups": [""], "apiVersions": ["v1"],
                            "operations": ["CREATE"], "resources": ["pods"]}],
                        "clientConfig": {"service": {"name": "gmsa-webhook",
                            "namespace": self.namespace, "path": path, "port": self.port}},
                    }],
                }))
                .await;
        }
    }

    async fn start(&self, port: u16, more: &[&str]) -> Server {
        let own = [
            format!("--kubeconfig={}", self.kubeconfig.display()),
            format!("--namespace={}", self.namespace),
            format!("--webhook-configuration={}", self.namespace),
            format!("--https-port={port}"),
        ];
        let args: Vec<&str> = own.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Server::start(PROGRAM, &args, &[]).await
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.cluster.client.clone(), &self.namespace)
    }

    /// The Secret's texts, once it is there.
    async fn secret(&self) -> Value {
        eventually("the Secret is written", SOON, || async {
            let secret = self.secrets().get_opt(SECRET).await.unwrap()?;
            let data = secret.data?.into_iter();
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            Some(data.map(|(key, value)| (key, json!(text(value.0)))).collect())
        })
        .await
    }

    async fn bundle(&self) -> Option<String> {
        let api: Api<MutatingWebhookConfiguration> = Api::all(self.cluster.client.clone());
        let configuration = api.get(&self.namespace).await.unwrap();
        let bundle = configuration.webhooks.unwrap()[0].client_config.ca_bundle.clone()?;
        Some(String::from_utf8(bundle.0).unwrap())
    }

    /// Has API servers trust this bundle when they call the mutating webhook.
    async fn trust(&self, bundle: &str) {
        let bundle = k8s_openapi::ByteString(bundle.as_bytes().to_vec());
        let patch = json!({"webhooks": [{"name": "admission.gmsa.test",
            "clientConfig": {"caBundle": bundle}}]});
        let api: Api<MutatingWebhookConfiguration> = Api::all(self.cluster.client.clone());
        api.patch(&self.namespace, &PatchParams::default(), &Patch::Strategic(patch))
            .await
            .unwrap();
    }

    /// Waits until the configurations hold the Secret's bundle.
    async fn published(&self) {
        eventually("the bundle is published", SOON, || async {
            let secret = self.secret().await;
            (self.bundle().await.as_deref() == secret["ca.crt"].as_str()).then_some(())
        })
        .await;
    }

    /// Creates a pod without storing it; what comes back is expanded.
    async fn admit(&self) -> Result<(), String> {
        let options = json!({"gmsaCredentialSpecName": self.spec});
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "probe"},
            "spec": {"containers": [{"name": "c", "image": "i"}],
                "securityContext": {"windowsOptions": options}}}))
        .unwrap();
        let pods: Api<Pod> = Api::namespaced(self.cluster.client.clone(), &self.namespace);
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let pod = pods.create(&dry, &pod).await.map_err(|error| error.to_string())?;
        let pod = serde_json::to_value(pod).unwrap();
        crate::support::contents_at(&pod, "/spec")
            .map(drop)
            .ok_or_else(|| "not expanded".to_owned())
    }

    async fn admits(&self) {
        eventually("pods are admitted", SOON, || async { self.admit().await.ok() }).await;
    }

    /// Makes everything made so far due for replacement, and waits until it is replaced.
    async fn rotate(&self) {
        let before = self.secret().await;
        eventually("no rotation is under way", SOON, || async {
            let secret = self.secret().await;
            (secret["next-ca.crt"].is_null() && secret["previous-ca.crt"].is_null()).then_some(())
        })
        .await;
        // Certificates are dated to the second, and those of this second are meant too.
        let time = Timestamp::now() + SignedDuration::from_secs(1);
        let annotations = json!({"kube-gmsa.dev/rotate-before": time.to_string()});
        let patch = json!({"metadata": {"annotations": annotations}});
        self.secrets().patch(SECRET, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        eventually("all is replaced", Duration::from_mins(1), || async {
            let secret = self.secret().await;
            let changed = |key: &str| secret[key] != before[key];
            let settled = secret["next-ca.crt"].is_null() && secret["previous-ca.crt"].is_null();
            (settled && ["ca.crt", "ca.key", "tls.crt", "tls.key"].into_iter().all(changed))
                .then_some(())
        })
        .await;
        self.published().await;
    }
}

/// What the server may do, and nothing else.
fn rights(namespace: &str) -> Vec<Value> {
    let role = |kind: &str, name: &str, rules: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace}, "rules": rules})
    };
    let binding = |kind: &str, of: &str, name: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": of, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "gmsa-webhook",
                "namespace": namespace}]})
    };
    let mut cluster_role = role(
        "ClusterRole",
        namespace,
        json!([
            {"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"],
                "verbs": ["get", "list", "watch"]},
            {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"],
                "verbs": ["create"]},
            {"apiGroups": ["admissionregistration.k8s.io"],
                "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
                "resourceNames": [namespace], "verbs": ["get", "watch", "patch"]},
        ]),
    );
    let mut cluster_binding = binding("ClusterRoleBinding", "ClusterRole", namespace);
    for object in [&mut cluster_role, &mut cluster_binding] {
        object["metadata"].as_object_mut().unwrap().remove("namespace");
    }
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "gmsa-webhook", "namespace": namespace}}),
        cluster_role,
        cluster_binding,
        role(
            "Role",
            "certificates",
            json!([
                {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET],
                    "verbs": ["get", "create", "patch", "watch"]},
                {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
            ]),
        ),
        binding("RoleBinding", "Role", "certificates"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_under_load_fail_nothing() {
    let Some(managed) = Managed::new("rotations_under_load_fail_nothing").await else { return };
    // Connections are short, so that handshakes fall into every step.
    let flags = ["--ca-overlap=1", "--max-connection-age=0.3"];
    let serving = managed.start(managed.port, &flags).await;
    let other = managed.start(0, &flags).await;
    managed.register().await;
    managed.admits().await;
    managed.published().await;

    let managed = Arc::new(managed);
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load = tokio::spawn({
        let (managed, stop, count) = (managed.clone(), stop.clone(), count.clone());
        async move {
            while !stop.load(Ordering::Relaxed) {
                managed.admit().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    for _ in 0..2 {
        let before = count.load(Ordering::Relaxed);
        managed.rotate().await;
        eventually("pods go on being created", SOON, || async {
            let enough = count.load(Ordering::Relaxed) >= before + 25;
            (enough || load.is_finished()).then_some(())
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    load.await.expect("not one creation fails");
    for server in [&serving, &other] {
        let expiry = server.metric("gmsa_certificate_expiry_timestamp_seconds").await;
        assert!(expiry > 0.0);
        assert!(server.metric("gmsa_certificate_rotations_total{result=\"success\"}").await >= 2.0);
        for line in server.log() {
            assert!(!line.contains("PRIVATE KEY"), "{line}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_deleted_or_garbage_heals_from_what_is_in_use() {
    let test = "a_secret_that_is_deleted_or_garbage_heals_from_what_is_in_use";
    let Some(managed) = Managed::new(test).await else { return };
    managed.register().await;
    let _server = managed.start(managed.port, &[]).await;
    managed.admits().await;
    managed.published().await;
    let before = managed.secret().await;

    managed.secrets().delete(SECRET, &DeleteParams::default()).await.unwrap();
    assert_eq!(managed.secret().await, before, "after the deletion");

    let garbage = json!({"stringData": {"tls.crt": "garbage", "ca.key": "garbage", "ca.crt": ""}});
    managed.secrets().patch(SECRET, &PatchParams::default(), &Patch::Merge(garbage)).await.unwrap();
    eventually("the Secret heals", SOON, || async {
        (managed.secret().await == before).then_some(())
    })
    .await;
    managed.admit().await.unwrap();
}

#[tokio::test]
async fn a_ca_bundle_that_was_edited_heals() {
    let Some(managed) = Managed::new("a_ca_bundle_that_was_edited_heals").await else { return };
    managed.register().await;
    let mut server = managed.start(managed.port, &[]).await;
    managed.admits().await;
    managed.trust(gmsa_testkit::pki::Authority::new("other").pem()).await;
    managed.published().await;
    managed.admits().await;
    // An installer that applies its manifests again leaves the bundle alone.
    let before = managed.bundle().await;
    managed.register().await;
    assert_eq!(managed.bundle().await, before);
    server.wait_for_log("wrote the CA bundle").await;
}

#[tokio::test]
async fn what_was_trusted_before_the_first_certificate_stays_trusted_for_the_overlap() {
    let test = "what_was_trusted_before_the_first_certificate_stays_trusted_for_the_overlap";
    let Some(managed) = Managed::new(test).await else { return };
    managed.register().await;
    let other = gmsa_testkit::pki::Authority::new("of another source");
    managed.trust(other.pem()).await;
    // What the other source has left.
    let left = json!({"metadata": {"name": SECRET},
        "stringData": {"tls.crt": "a", "tls.key": "b", "ca.crt": other.pem()}});
    let left: Secret = serde_json::from_value(left).unwrap();
    managed.secrets().create(&PostParams::default(), &left).await.unwrap();
    let _server = managed.start(managed.port, &["--ca-overlap=6"]).await;
    managed.admits().await;
    managed.published().await;
    let both = managed.bundle().await.unwrap();
    assert!(both.contains(other.pem().trim()), "{both}");
    eventually("the other CA is forgotten", SOON, || async {
        (!managed.bundle().await?.contains(other.pem().trim())).then_some(())
    })
    .await;
    let alone = managed.bundle().await.unwrap();
    assert!(both.starts_with(&alone), "{both}");
    managed.admit().await.unwrap();
}

#[tokio::test]
async fn a_rotation_that_fails_is_an_event_and_the_certificate_stays() {
    let test = "a_rotation_that_fails_is_an_event_and_the_certificate_stays";
    let Some(managed) = Managed::new(test).await else { return };
    managed.register().await;
    let _server = managed.start(managed.port, &[]).await;
    managed.admits().await;
    managed.published().await;
    // From now on it may read the Secret, and no longer write it.
    let mut role =
        rights(&managed.namespace).into_iter().find(|one| one["kind"] == "Role").unwrap();
    role["rules"][0]["verbs"] = json!(["get", "watch"]);
    managed.cluster.apply(&role).await;
    let time = Timestamp::now() + SignedDuration::from_secs(1);
    let patch = json!({"metadata":
        {"annotations": {"kube-gmsa.dev/rotate-before": time.to_string()}}});
    managed.secrets().patch(SECRET, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    let events: Api<Event> = Api::namespaced(managed.cluster.client.clone(), &managed.namespace);
    let event = eventually("the failure is an event", SOON, || async {
        let all = events.list(&ListParams::default()).await.unwrap().items;
        all.into_iter().find(|one| one.reason.as_deref() == Some("CertificateFailed"))
    })
    .await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    // Without a pod that is known they stand on the Secret.
    assert_eq!(event.involved_object.kind.as_deref(), Some("Secret"));
    assert_eq!(event.involved_object.name.as_deref(), Some(SECRET));
    let message = event.message.unwrap();
    for words in ["failed to write the Secret", "forbidden", "grant"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    managed.admit().await.unwrap();
}

#[tokio::test]
async fn replicas_that_start_together_agree_on_one_ca() {
    let Some(managed) = Managed::new("replicas_that_start_together_agree_on_one_ca").await else {
        return;
    };
    managed.register().await;
    let (one, two, three) = tokio::join!(
        managed.start(managed.port, &[]),
        managed.start(0, &[]),
        managed.start(0, &[])
    );
    managed.published().await;
    let bundle = managed.bundle().await.unwrap();
    let secret = managed.secret().await;
    assert_eq!(secret["ca.crt"], json!(bundle));
    for server in [&one, &two, &three] {
        // By the name that API servers use.
        server.ready_as(&format!("gmsa-webhook.{}.svc", managed.namespace), &bundle).await;
    }
    managed.admit().await.unwrap();
}

#[tokio::test]
async fn without_the_right_to_the_secret_the_reason_is_reported_and_nothing_served() {
    let test = "without_the_right_to_the_secret_the_reason_is_reported_and_nothing_served";
    let Some(mut managed) = Managed::new(test).await else { return };
    managed.kubeconfig = managed.cluster.token_kubeconfig(&managed.namespace, "default").await;
    let mut server = managed.start(0, &[]).await;
    let line = server.wait_for_log("failed to manage the certificates").await;
    let secret = format!("Secret {}/{SECRET}", managed.namespace);
    for words in [&*secret, "forbidden", "grant the server's service account", "--tls-cert"] {
        assert!(line.contains(words), "{words}: {line}");
    }
}
