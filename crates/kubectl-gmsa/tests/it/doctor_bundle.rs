//! The support archive of the doctor, on a real control plane: secrets are planted wherever people
//! put them, and none is in the archive.

use std::collections::BTreeMap;
use std::path::Path;

use gmsa_testkit::objects;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::stand_in::StandIn;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::world;

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
    base: world::World,
    _stand_in: StandIn,
    files: tempfile::TempDir,
}

impl std::ops::Deref for World {
    type Target = world::World;

    fn deref(&self) -> &world::World {
        &self.base
    }
}

impl World {
    /// The archive of a run, and its standard error.
    async fn bundle(&self, kubeconfig: &Path, args: &[&str]) -> (BTreeMap<String, String>, String) {
        let file = self.files.path().join("support.zip");
        let all =
            [&["doctor", "--overwrite", "--bundle", file.to_str().unwrap()][..], args].concat();
        let ran = self.run_as(kubeconfig, &all).await;
        assert!(ran.code < 2, "{}", ran.stderr);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        (crate::support::unpacked(&file), ran.stderr)
    }
}

/// What a kubelet answers for the logs of its pods; the port.
async fn kubelet() -> u16 {
    let acceptor = Authority::new("kubelet").server(&["127.0.0.1"]).acceptor();
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
    let base = world::World::new(test).await?;
    base.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}))
        .await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop"},
        "stringData": {"a": "data-S3cret-0007"}});
    base.apply(&secret).await;
    base.apply(&pod()).await;
    let stand_in = base.stand_in(None).await;
    let world = World { base, _stand_in: stand_in, files: tempfile::tempdir().unwrap() };
    world.done(&["install"]).await;
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
        world.apply(&object).await;
    }
    Some(world)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_archive_contains_evidence_and_no_secret() {
    let Some(world) = world("the_archive_contains_evidence_and_no_secret").await else { return };
    let admin = world.plane.kubeconfig_path();
    let port = kubelet().await;
    world
        .patch(
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

    // A workload of a kind that only some clusters have.
    let any = objects::any();
    world.apply(&objects::definition("example.com", "Rollout", "rollouts", &any)).await;
    let mut rollout = objects::deployment("shop", "web", &pod());
    rollout["apiVersion"] = json!("example.com/v1");
    rollout["kind"] = json!("Rollout");
    world.apply(&rollout).await;
    let (files, _) = world.bundle(&admin, &["rollout/web", "-n", "shop"]).await;
    assert!(files["pod/target.yaml"].contains("kind: Rollout"), "{}", files["pod/target.yaml"]);

    // A user with few rights gets what they may read, and the archive says what is missing.
    let kubeconfig = reader(&world).await;
    let (files, told) = world.bundle(&kubeconfig, &["web", "-n", "shop"]).await;
    let missed = &files["not-read.txt"];
    for words in ["secrets", "list nodes", "list roles", "forbidden"] {
        assert!(missed.contains(words), "{words}: {missed}");
    }
    assert!(told.contains("could not be read (not-read.txt)"), "{told}");
    assert!(files.contains_key("pod/target.yaml"), "{:?}", files.keys());
    assert!(!files.contains_key("cluster/nodes.yaml"));
}

/// The kubeconfig of an account that may read pods of its namespace, and no more.
async fn reader(world: &World) -> std::path::PathBuf {
    for object in [
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "reader", "namespace": "shop"}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "reader", "namespace": "shop"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "shop"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "view"}}),
    ] {
        world.apply(&object).await;
    }
    world.plane.token_kubeconfig("shop", "reader").await
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
