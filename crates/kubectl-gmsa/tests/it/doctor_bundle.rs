//! The support archive of the doctor, on a real control plane: secrets are planted wherever people
//! put them, and none is in the archive.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assert_cmd::Command;
use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::objects;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::StandIn;
use kube::Client;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const SOON: Duration = Duration::from_mins(1);
/// Each stands somewhere in the cluster, and nowhere in the archive.
const SECRETS: [&str; 12] = [
    "env-S3cret-0001",
    "arg-S3cret-0002",
    "flag-S3cret-0003",
    "url-S3cret-0004",
    "note-S3cret-0005",
    "input-S3cret-0006",
    "data-S3cret-0007",
    "old-S3cret-0008",
    "script-S3cret-0009",
    "header-S3cret-0010",
    "inline-S3cret-0011",
    "event-S3cret-0012",
];

fn pod() -> Value {
    let inline = json!({"ActiveDirectoryConfig": {"HostAccountConfig":
        {"PluginInput": "svc@contoso.com:inline-S3cret-0011"}}});
    let old = json!({"spec": {"containers": [
        {"env": [{"name": "PASSWORD", "value": "old-S3cret-0008"}]}]}});
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {
            "example.com/note": "the password is note-S3cret-0005",
            "kubectl.kubernetes.io/last-applied-configuration": old.to_string(),
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}},
        "spec": {
            // Contents without a name are for the archive alone: nobody would admit them.
            "securityContext": {"windowsOptions": {"gmsaCredentialSpec": inline.to_string()}},
            "containers": [{"name": "iis", "image": "iis:10",
                "env": [{"name": "DB_PASSWORD", "value": "env-S3cret-0001"},
                    {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "db", "key": "a"}}}],
                "command": ["tool", "--password=arg-S3cret-0002", "--token", "flag-S3cret-0003"],
                "args": ["-Command", "net use * https://bob:url-S3cret-0004@share/x; \
                    $env:API_KEY = 'script-S3cret-0009'", "--verbose"],
                "readinessProbe": {"httpGet": {"port": 80, "httpHeaders": [
                    {"name": "X-Key", "value": "header-S3cret-0010"}]}}}]}})
}

struct World {
    plane: ControlPlane,
    client: Client,
    _stand_in: StandIn,
    files: tempfile::TempDir,
}

impl World {
    async fn run(&self, kubeconfig: &Path, args: &[&str]) -> std::process::Output {
        let kubeconfig = kubeconfig.to_owned();
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let run = move || {
            Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"))
                .env("KUBECONFIG", kubeconfig)
                .args(args)
                .output()
                .unwrap()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    async fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let content = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .body(body.to_string().into_bytes())
            .unwrap();
        let answer = self.client.request(request).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The archive of a run, and its standard error.
    async fn bundle(&self, kubeconfig: &Path, args: &[&str]) -> (BTreeMap<String, String>, String) {
        let file = self.files.path().join("support.zip");
        let all =
            [&["doctor", "--overwrite", "--bundle", file.to_str().unwrap()][..], args].concat();
        let output = self.run(kubeconfig, &all).await;
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code().is_some_and(|code| code < 2), "{told}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        (crate::support::unpacked(&file), told)
    }
}

/// What a kubelet answers for the logs of its pods; the port.
async fn kubelet() -> u16 {
    let pair = Authority::new("kubelet").server(&["127.0.0.1"]);
    let certificate = CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 2048];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let log = format!("asked for {path}\nserving; env-S3cret-0001; password=log-S3cret\n");
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{log}",
                log.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

async fn world(test: &str) -> Option<World> {
    let options = control_plane::Options { with_controller_manager: true, ..Default::default() };
    let plane = ControlPlane::start_private(test, options).await?;
    let client = plane.client().await;
    let applier = Applier::new(client.clone(), "test", true);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    applier.apply(&namespace).await.unwrap();
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop"},
        "stringData": {"a": "data-S3cret-0007"}});
    applier.apply(&secret).await.unwrap();
    eventually("the pod can be made", SOON, || async { applier.apply(&pod()).await.ok() }).await;
    let stand_in = StandIn::start(&plane, crate::support::webhook()).await;
    let files = tempfile::tempdir().unwrap();
    let world = World { plane, client, _stand_in: stand_in, files };
    let admin = world.plane.kubeconfig_path();
    let output = world.run(&admin, &["install"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut spec = objects::credential_spec("web", "WebApp1");
    spec["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"] = json!({
        "PortableCcgVersion": "1", "PluginGUID": "{DEFFF03C-3245-465F-8391-CC586A2D1F32}",
        "PluginInput": "svc@contoso.com:input-S3cret-0006"});
    for object in [
        spec,
        objects::role("web"),
        objects::binding("web", "shop", "default"),
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "data": {"Corefile": ".:53 {\n  forward . /etc/resolv.conf\n}\n"}}),
        json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": "web.1", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop"},
            "reason": "Failed", "type": "Warning",
            "message": "failed to start: token=event-S3cret-0012 with env-S3cret-0001"}),
    ] {
        applier.apply(&object).await.unwrap();
    }
    Some(world)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_archive_contains_evidence_and_no_secret() {
    let Some(world) = world("the_archive_contains_evidence_and_no_secret").await else { return };
    let admin = world.plane.kubeconfig_path();
    let port = kubelet().await;
    world
        .request(
            "PATCH",
            "/api/v1/nodes/stand-in/status",
            &json!({"status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}}),
        )
        .await;
    let (files, told) = world.bundle(&admin, &["web", "-n", "shop"]).await;
    for (name, text) in &files {
        for secret in SECRETS.into_iter().chain(["log-S3cret", "S3cret", "PRIVATE KEY"]) {
            assert!(!text.contains(secret), "{secret} is in {name}: {text}");
        }
        assert!(told.contains(name.as_str()), "{name}: {told}");
    }
    for (name, words) in [
        ("README.txt", "redacted.txt"),
        ("verdict.txt", "webhook-rules"),
        ("report.json", "\"kind\": \"DoctorReport\""),
        ("versions.json", "\"kubernetes\": \"1."),
        ("cluster/webhooks.yaml", "ValidatingWebhookConfiguration"),
        ("cluster/deployment.yaml", "name: gmsa-webhook"),
        ("cluster/webhook-pods.yaml", "kind: Pod"),
        ("cluster/service.yaml", "kind: Service"),
        ("cluster/definition.yaml", "PortableCcgVersion"),
        ("cluster/certificate/tls.crt", "BEGIN CERTIFICATE"),
        ("cluster/credential-specs.yaml", "DEFFF03C-3245-465F-8391-CC586A2D1F32"),
        ("cluster/roles.yaml", "gmsacredentialspecs"),
        ("cluster/bindings.yaml", "namespace: shop"),
        ("cluster/coredns.yaml", "forward . /etc/resolv.conf"),
        ("pod/target.yaml", "name: DB_PASSWORD"),
        ("pod/target.yaml", "--password=REDACTED"),
        ("pod/target.yaml", "secretKeyRef"),
        ("pod/target.yaml", "--verbose"),
        ("pod/target.yaml", "safe-to-evict"),
        ("pod/service-accounts.yaml", "name: default"),
        ("events/shop.yaml", "failed to start: token=REDACTED"),
        ("not-read.txt", "Everything could be read."),
        (
            "redacted.txt",
            "pod/target.yaml: spec.containers[0].env[0].value: value of an environment",
        ),
        ("redacted.txt", "cluster/credential-specs.yaml: credspec.ActiveDirectoryConfig"),
    ] {
        let text = files.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", files.keys()));
        assert!(text.contains(words), "{name}: {text}");
    }
    let logs: Vec<_> = files.iter().filter(|(name, _)| name.starts_with("logs/")).collect();
    assert!(!logs.is_empty(), "{:?}", files.keys());
    for (name, log) in logs {
        assert!(log.contains("serving; REDACTED; password=REDACTED"), "{name}: {log}");
        assert!(log.contains("/containerLogs/gmsa-webhook/"), "{name}: {log}");
    }
    let report: Value = serde_json::from_str(&files["report.json"]).unwrap();
    assert!(report["outcomes"].as_array().is_some_and(|all| !all.is_empty()));

    // Without a pod the cluster's side alone is in it.
    let (files, _) = world.bundle(&admin, &[]).await;
    assert!(files.contains_key("cluster/webhooks.yaml"));
    assert!(!files.keys().any(|name| name.starts_with("pod/")), "{:?}", files.keys());

    // A user with few rights gets what they may read, and the archive says what is missing.
    let token = token(&world).await;
    let kubeconfig = world.files.path().join("few-rights");
    write_kubeconfig(&world.plane, &kubeconfig, &token);
    let (files, told) = world.bundle(&kubeconfig, &["web", "-n", "shop"]).await;
    let missed = &files["not-read.txt"];
    for words in ["secrets", "list nodes", "list roles", "forbidden"] {
        assert!(missed.contains(words), "{words}: {missed}");
    }
    assert!(told.contains("could not be read (not-read.txt)"), "{told}");
    assert!(files.contains_key("pod/target.yaml"), "{:?}", files.keys());
    assert!(!files.contains_key("cluster/nodes.yaml"));
}

/// A token of an account that may read pods of its namespace, and no more.
async fn token(world: &World) -> String {
    let applier = Applier::new(world.client.clone(), "test", true);
    for object in [
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "reader", "namespace": "shop"}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "reader", "namespace": "shop"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "shop"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "view"}}),
    ] {
        applier.apply(&object).await.unwrap();
    }
    let answer = world
        .request(
            "POST",
            "/api/v1/namespaces/shop/serviceaccounts/reader/token",
            &json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                "metadata": {}, "spec": {"audiences": []}}),
        )
        .await;
    answer["status"]["token"].as_str().unwrap().to_owned()
}

fn write_kubeconfig(plane: &ControlPlane, path: &Path, token: &str) {
    let ca = plane.dir().join("ca.crt");
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster":
            {"server": plane.url(), "certificate-authority": ca}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
    std::fs::write(path, config.to_string()).unwrap();
}

#[test]
fn a_file_that_exists_is_kept_and_a_folder_that_does_not_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("support.zip");
    std::fs::write(&file, "mine").unwrap();
    let ran = crate::support::run(&["doctor", "--bundle", file.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("it exists") && ran.stderr.contains("--overwrite"),
        "{}",
        ran.stderr
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let nowhere = folder.path().join("nowhere/support.zip");
    let ran = crate::support::run(&["doctor", "--bundle", nowhere.to_str().unwrap()]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("its folder does not exist"), "{}", ran.stderr);
}
