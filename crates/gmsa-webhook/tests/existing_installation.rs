//! The server with the rights and the environment of a windows-gmsa installation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod support;

use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::free_port;
use gmsa_testkit::server::Server;
use gmsa_testkit::webhook::Webhook;
use serde_json::json;

use support::{World, canonical, contents_at};

/// What the role of that installation grants.
async fn rights(world: &World) -> std::path::PathBuf {
    let name = world.cluster.unique("existing");
    world
        .cluster
        .apply(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": [
                {"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"], "verbs": ["get", "use"]},
                {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]}]}))
        .await;
    world
        .cluster
        .apply(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": world.namespace}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}}))
        .await;
    world.cluster.token_kubeconfig(&world.namespace, "default").await
}

#[tokio::test]
async fn the_image_can_be_swapped_into_an_existing_deployment() {
    let name = "the_image_can_be_swapped_into_an_existing_deployment";
    let Some(mut world) = support::world(name).await else { return };
    let kubeconfig = rights(&world).await;
    let pair = world.authority.server(&["localhost"]);
    let (certificate, key) = pair.write(world.cluster.files(), "existing");
    let port = free_port().to_string();
    let env = [
        ("KUBECONFIG", kubeconfig.to_str().unwrap()),
        ("TLS_CRT", certificate.to_str().unwrap()),
        ("TLS_KEY", key.to_str().unwrap()),
        ("HTTPS_PORT", port.as_str()),
        ("QPS", "30.0"),
        ("BURST", "1e+02"),
        ("LOG_LEVEL", "nonsense"),
        ("RANDOM_HOSTNAME", "true"),
    ];
    let mut server = Server::start(support::PROGRAM, &["--cert-reload=false"], &env).await;
    server.ready(world.authority.pem()).await;
    assert_eq!(server.https.port().to_string(), port);
    server.wait_for_log("LOG_LEVEL").await;
    server.wait_for_log("not allowed to list and watch gmsacredentialspecs").await;
    assert!((server.metric("gmsa_credspec_live_mode").await - 1.0).abs() < f64::EPSILON);

    world.webhook = Webhook::register(&world.cluster, server.https, world.authority.pem()).await;
    world.namespace = world.webhook.namespace(&world.cluster, "existing").await;
    let spec = world.credential_spec("default").await;
    let stored = world.create(&world.pod(&gmsa(Some(&spec), None))).await;
    assert_eq!(contents_at(&stored, "/spec"), Some(canonical("WebApp1").as_str()));
    let hostname = stored["spec"]["hostname"].as_str().unwrap().to_owned();
    assert_eq!(hostname.len(), 15);
    let second = world.create(&world.pod(&gmsa(Some(&spec), None))).await;
    assert_ne!(second["spec"]["hostname"], json!(hostname));
    let mut own = world.pod(&gmsa(Some(&spec), None));
    own["spec"]["hostname"] = json!("mine");
    assert_eq!(world.create(&own).await["spec"]["hostname"], json!("mine"));
    assert!(world.create(&world.pod(&json!({}))).await["spec"].get("hostname").is_none());

    let other = world.cluster.unique("other");
    world.cluster.apply(&objects::credential_spec(&other, "Other")).await;
    let (code, _) = world.try_create(&world.pod(&gmsa(Some(&other), None))).await.unwrap_err();
    assert_eq!(code, 403);
    let gone = world.cluster.unique("gone");
    world.grant(&gone, "default").await;
    let (code, _) = world.try_create(&world.pod(&gmsa(Some(&gone), None))).await.unwrap_err();
    assert_eq!(code, 404);
    // Live reading sees an edit at once.
    world.cluster.apply(&objects::credential_spec(&spec, "Edited")).await;
    let stored = world.create(&world.pod(&gmsa(Some(&spec), None))).await;
    assert_eq!(contents_at(&stored, "/spec"), Some(canonical("Edited").as_str()));
    let warnings = server.log().iter().filter(|line| line.contains("list and watch gmsa")).count();
    assert_eq!(warnings, 1, "said once");
}

#[test]
fn a_bad_boolean_stops_the_start() {
    let output = std::process::Command::new(support::PROGRAM)
        .env_clear()
        .env("TLS_CRT", "/nowhere")
        .env("TLS_KEY", "/nowhere")
        .env("RANDOM_HOSTNAME", "yes")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("RANDOM_HOSTNAME"), "{stderr}");
}
