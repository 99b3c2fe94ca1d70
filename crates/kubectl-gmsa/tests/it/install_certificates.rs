//! Installing with certificates that the server does not make, on a real control plane.

use std::path::Path;

use crate::support::Ran;
use crate::support::world::{SOON, World};
use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::manifests::{Input, read};
use gmsa_core::names::{self, NAME, SECRET};
use gmsa_testkit::pki::{Authority, Pair};
use gmsa_testkit::process::eventually;
use k8s_openapi::ByteString;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

const FILES: &str = "--certificates=files";
const SERVICE: &str = "gmsa-webhook.gmsa-webhook.svc";

fn base64(text: &str) -> Value {
    serde_json::to_value(ByteString(text.as_bytes().to_vec())).unwrap()
}

fn named(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": NAME}})
}

async fn apply(world: &World, manager: &'static str, object: &Value) {
    Applier::new(world.client.clone(), manager, true).apply(object).await.unwrap();
}

/// The Secret as its owner writes it.
fn secret(pair: &Pair, ca: Option<&str>) -> Value {
    let mut secret = named("v1", "Secret", SECRET);
    secret["type"] = "kubernetes.io/tls".into();
    secret["data"] = json!({"tls.crt": base64(&pair.cert), "tls.key": base64(&pair.key)});
    if let Some(ca) = ca {
        secret["data"]["ca.crt"] = base64(ca);
    }
    secret
}

async fn fill(world: &World, secret: &Value) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}});
    apply(world, "a-user", &namespace).await;
    apply(world, "a-user", secret).await;
}

async fn configurations(world: &World) -> Vec<Value> {
    let live = world.objects().await;
    let is_one = |object: &Value| object["kind"].as_str().unwrap().ends_with("Configuration");
    live.into_iter().flatten().filter(is_one).collect()
}

async fn assert_trusted(world: &World, bundle: &str) {
    let configurations = configurations(world).await;
    assert_eq!(configurations.len(), 2);
    for one in configurations {
        assert_eq!(one["webhooks"][0]["clientConfig"]["caBundle"], base64(bundle), "{one}");
    }
}

/// Install says that the webhook answers, and it does for the very next pod.
async fn answers(world: &World, args: &[&str]) {
    let Ran { code, stderr, .. } = world.run(args).await;
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("the webhook answers"), "{stderr}");
    world.admit("web").await.unwrap();
    world.plain("web").await.unwrap();
}

async fn stops(world: &World, args: &[&str], words: &[&str]) {
    let Ran { code, stderr, .. } = world.run(args).await;
    assert_eq!(code, 3, "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_files_are_trusted_and_stay_at_uninstall() {
    let test = "certificate_files_are_trusted_and_stay_at_uninstall";
    let Some(world) = World::new(test).await else { return };
    let authority = Authority::new("of a user");
    let filled = secret(&authority.server(&[SERVICE]), Some(authority.pem()));
    stops(&world, &["install", FILES, "--wait=1"], &["there is no Secret"]).await;
    fill(&world, &filled).await;
    world.namespace("web").await;
    let _stand_in = world.stand_in(None).await;
    answers(&world, &["install", FILES, "--early-warnings"]).await;
    assert_trusted(&world, authority.pem()).await;
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    assert_trusted(&world, authority.pem()).await;
    let warnings = named(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        names::EARLY_WARNINGS,
    );
    let warnings = world.live(&warnings).await.unwrap();
    for webhook in warnings["webhooks"].as_array().unwrap() {
        assert_eq!(webhook["clientConfig"]["caBundle"], base64(authority.pem()));
    }
    let row = |status: &str| {
        let row = status.lines().find(|row| row.trim_start().starts_with("webhook-ca-bundle"));
        row.unwrap_or_else(|| panic!("{status}")).to_owned()
    };
    let status = world.done(&["status"]).await;
    assert!(row(&status).contains(" ok "), "{status}");

    // A pair of another CA in the Secret: reported, and fixed by the next upgrade.
    let another = Authority::new("of another");
    let replaced = secret(&another.server(&[SERVICE]), Some(another.pem()));
    apply(&world, "a-user", &replaced).await;
    let Ran { code, stdout: status, .. } = world.run(&["status"]).await;
    assert_eq!(code, 1, "{status}");
    assert!(row(&status).contains(" problem "), "{status}");
    assert!(status.contains("kubectl gmsa upgrade"), "{status}");
    apply(&world, "a-user", &filled).await;

    // A Secret that the user filled stays, at the second uninstall too.
    for _ in 0..2 {
        let Ran { code, stdout, stderr } = world.run(&["uninstall", "--yes"]).await;
        assert_eq!(code, 0, "{stderr}");
        assert!(!stdout.contains("secret/") && !stdout.contains("namespace/gmsa"), "{stdout}");
        assert!(stderr.contains(SECRET) && stderr.contains("stays"), "{stderr}");
        let live = world.live(&filled).await.unwrap();
        assert_eq!(live["data"], filled["data"]);
        assert!(live["metadata"]["deletionTimestamp"].is_null());
    }
    assert!(configurations(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_ca_nothing_is_created_that_could_block_a_pod() {
    let test = "without_a_ca_nothing_is_created_that_could_block_a_pod";
    let Some(world) = World::new(test).await else { return };
    let deployment = named("apps/v1", "Deployment", NAME);
    let nothing_sends = || async {
        assert!(configurations(&world).await.is_empty());
        assert!(world.live(&deployment).await.is_none());
    };
    let authority = Authority::new("of a user");
    let filled = secret(&authority.server(&[SERVICE]), None);
    stops(
        &world,
        &["install", FILES, "--wait=1"],
        &["there is no Secret", "kubectl create secret", "no pod is blocked"],
    )
    .await;
    nothing_sends().await;
    fill(&world, &filled).await;
    stops(&world, &["install", FILES], &["no ca.crt", "--ca-bundle FILE", "nothing was changed"])
        .await;
    nothing_sends().await;
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("--ca-bundle={}", path.display())
    };
    let wrong = write("wrong.crt", Authority::new("of another").pem());
    stops(&world, &["install", FILES, &wrong], &["did not sign", "nothing was changed"]).await;
    nothing_sends().await;
    let key = write("ca.key", &authority.pair().key);
    let Ran { code, stderr, .. } = world.run(&["install", FILES, &key]).await;
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("private key"), "{stderr}");
    let right = write("ca.crt", authority.pem());
    let ran = world.run(&["install", &right]).await;
    assert_eq!(ran.code, 2, "the server makes its own");

    world.namespace("web").await;
    let _stand_in = world.stand_in(None).await;
    answers(&world, &["install", FILES, &right]).await;
    // Omitted options keep their value.
    answers(&world, &["upgrade", "--random-hostname"]).await;
    // As the doctor's advice has it.
    answers(&world, &["upgrade", &right]).await;
    assert_trusted(&world, authority.pem()).await;
    let status = world.done(&["status"]).await;
    let row = status.lines().find(|row| row.trim_start().starts_with("webhook-ca-bundle")).unwrap();
    assert!(row.contains(" ok "), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_source_leaves_nothing_of_the_first() {
    let Some(world) = World::new("another_source_leaves_nothing_of_the_first").await else {
        return;
    };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("web").await;
    // What is made anew is another object with the same contents.
    let contents = || async {
        let mut all = world.objects().await;
        for object in all.iter_mut().flatten() {
            let metadata = object["metadata"].as_object_mut().unwrap();
            metadata.retain(|key, _| !["uid", "creationTimestamp"].contains(&key.as_str()));
        }
        all
    };
    let first = contents().await;
    let role = |kind| named("rbac.authorization.k8s.io/v1", kind, NAME);
    let dry = world.done(&["upgrade", FILES, "--dry-run=server"]).await;
    assert!(dry.contains("rolebinding/gmsa-webhook deleted (server dry run)"), "{dry}");
    // As the server marks it.
    let mut made = secret(&Authority::new("own").server(&[SERVICE]), None);
    made["metadata"]["labels"] = json!({"app.kubernetes.io/name": NAME});
    let live = world.live(&made).await.unwrap();
    assert_eq!(live["metadata"]["labels"], made["metadata"]["labels"]);
    answers(&world, &["upgrade", FILES]).await;
    let live = world.live(&made).await.unwrap();
    assert!(live["metadata"]["labels"].get("app.kubernetes.io/name").is_none(), "{live}");
    for kind in ["Role", "RoleBinding"] {
        assert!(world.live(&role(kind)).await.is_none(), "{kind}");
    }
    answers(&world, &["upgrade", "--certificates=self"]).await;
    assert_eq!(contents().await, first);
}

/// Its definitions, and its controller as far as the Secret goes.
async fn cert_manager(world: &World) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cert-manager.yaml");
    for definition in read(&[Input::Path(file)]).unwrap().documents {
        apply(world, "test", &definition.value).await;
    }
    eventually("cert-manager's kinds are served", SOON, || async {
        let dry = ["install", "--certificates=cert-manager", "--dry-run=server"];
        (world.run(&dry).await.code == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_cert_manager_are_awaited_and_deleted_with_it() {
    let test = "certificates_of_cert_manager_are_awaited_and_deleted_with_it";
    let Some(world) = World::new(test).await else { return };
    cert_manager(&world).await;
    let install = ["install", "--certificates=cert-manager"];
    let short = [&install[..], &["--wait=1"]].concat();
    stops(&world, &short, &["cert-manager has not filled", "no pod is blocked"]).await;
    assert!(configurations(&world).await.is_empty());

    let authority = Authority::new(names::CERT_MANAGER_CA);
    world.namespace("web").await;
    let _stand_in = world.stand_in(None).await;
    tokio::join!(answers(&world, &install), issue(&world, &authority));
    assert_trusted(&world, authority.pem()).await;

    let output = world.done(&["upgrade", "--certificates=self"]).await;
    let ca = named("v1", "Secret", names::CERT_MANAGER_CA);
    assert!(world.live(&ca).await.is_none(), "{output}");
    for (kind, name) in [
        ("Issuer", NAME),
        ("Issuer", names::CERT_MANAGER_CA),
        ("Certificate", NAME),
        ("Certificate", names::CERT_MANAGER_CA),
    ] {
        let object = named("cert-manager.io/v1", kind, name);
        assert!(world.live(&object).await.is_none(), "{kind} {name}: {output}");
    }
    eventually("the server's own is trusted", SOON, || async { world.admit("web").await.ok() })
        .await;

    // The Secret has cert-manager's annotation still, and content that is not of cert-manager.
    stops(&world, &short, &["cert-manager has not filled", "no pod is blocked"]).await;
    let another = Authority::new(names::CERT_MANAGER_CA);
    tokio::join!(answers(&world, &install), issue(&world, &another));
    assert_trusted(&world, another.pem()).await;
}

/// Issues what is asked for, as cert-manager does. By then the server must not write into the Secret any more.
async fn issue(world: &World, authority: &Authority) {
    let certificate = named("cert-manager.io/v1", "Certificate", NAME);
    let asked = eventually("it is asked for", SOON, || world.live(&certificate)).await;
    assert!(
        world.live(&named("rbac.authorization.k8s.io/v1", "RoleBinding", NAME)).await.is_none()
    );
    let mut issued = secret(&authority.server(&[SERVICE]), Some(authority.pem()));
    let filled_by = |name: &str| json!({"cert-manager.io/certificate-name": name});
    issued["metadata"]["annotations"] = filled_by(NAME);
    let mut ca = issued.clone();
    ca["metadata"] = json!({"name": names::CERT_MANAGER_CA, "namespace": NAME,
        "annotations": filled_by(names::CERT_MANAGER_CA)});
    apply(world, "cert-manager", &ca).await;
    apply(world, "cert-manager", &issued).await;
    let status = json!({"status": {"conditions": [{"type": "Ready", "status": "True",
        "observedGeneration": asked["metadata"]["generation"]}]}});
    let kind = ApiResource {
        group: "cert-manager.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "cert-manager.io/v1".to_owned(),
        kind: "Certificate".to_owned(),
        plural: "certificates".to_owned(),
    };
    let api: Api<DynamicObject> = Api::namespaced_with(world.client.clone(), NAME, &kind);
    api.patch_status(NAME, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}
