//! The server with the rights and the environment of a windows-gmsa installation.

use std::path::{Path, PathBuf};

use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::{eventually, free_port};
use gmsa_testkit::server::Server;
use gmsa_testkit::tcp_proxy::TcpProxy;
use gmsa_testkit::webhook::Webhook;
use serde_json::json;

use crate::support::table::{
    cases, creations_are_denied, ephemeral_containers_are_denied, replica_sets_are_denied,
};
use crate::support::{World, canonical, checks, contents_at};

/// What the role of that installation grants.
async fn rights(world: &World) -> PathBuf {
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

/// A server with that environment, and its port.
async fn server(world: &World, kubeconfig: &Path) -> Server {
    let pair = world.authority.server(&["localhost"]);
    let (certificate, key) = pair.write(world.cluster.files(), &world.cluster.unique("existing"));
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
    let server = Server::start(crate::support::PROGRAM, &["--cert-reload=false"], &env).await;
    server.ready(world.authority.pem()).await;
    assert_eq!(server.https.port().to_string(), port);
    server
}

/// A world whose server is such a one, and the kubeconfig for another replica.
async fn existing(test: &str) -> Option<(World, PathBuf)> {
    let mut world = crate::support::world(test).await?;
    let kubeconfig = rights(&world).await;
    world.server = server(&world, &kubeconfig).await;
    swap(&mut world).await;
    Some((world, kubeconfig))
}

/// Registers the world's server for a new namespace.
async fn swap(world: &mut World) {
    let server = world.server.https;
    world.webhook = Webhook::register(&world.cluster, server, world.authority.pem()).await;
    world.namespace = world.webhook.namespace(&world.cluster, "existing").await;
}

#[tokio::test]
async fn the_image_can_be_swapped_into_an_existing_deployment() {
    let name = "the_image_can_be_swapped_into_an_existing_deployment";
    let Some((mut world, _)) = existing(name).await else { return };
    world.server.wait_for_log("LOG_LEVEL").await;
    world.server.wait_for_log("not allowed to list and watch gmsacredentialspecs").await;
    assert!((world.server.metric("gmsa_credspec_live_mode").await - 1.0).abs() < f64::EPSILON);
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

    // Live reading sees an edit at once.
    world.cluster.apply(&objects::credential_spec(&spec, "Edited")).await;
    let stored = world.create(&world.pod(&gmsa(Some(&spec), None))).await;
    assert_eq!(contents_at(&stored, "/spec"), Some(canonical("Edited").as_str()));
    let log = world.server.log();
    let warnings = log.iter().filter(|line| line.contains("list and watch gmsa")).count();
    assert_eq!(warnings, 1, "said once");
}

#[tokio::test]
async fn every_place_is_expanded_with_the_rights_of_an_existing_installation() {
    let name = "every_place_is_expanded_with_the_rights_of_an_existing_installation";
    let Some((world, _)) = existing(name).await else { return };
    checks::every_place_carries_its_contents(&world).await;
    checks::an_ephemeral_container_carries_its_contents(&world).await;
    checks::preset_contents_stay(&world).await;
}

#[tokio::test]
async fn every_denial_is_seen_with_the_rights_of_an_existing_installation() {
    let name = "every_denial_is_seen_with_the_rights_of_an_existing_installation";
    let Some((world, _)) = existing(name).await else { return };
    let cases = cases(&world, false).await;
    creations_are_denied(&world, &cases).await;
    ephemeral_containers_are_denied(&world, &cases).await;
    replica_sets_are_denied(&world, &cases).await;
}

#[tokio::test]
async fn a_revocation_works_with_the_rights_of_an_existing_installation() {
    let name = "a_revocation_works_with_the_rights_of_an_existing_installation";
    let Some((world, _)) = existing(name).await else { return };
    checks::a_grant_works_at_once_and_a_revocation_within_a_second(&world).await;
}

#[tokio::test]
async fn two_replicas_with_the_rights_of_an_existing_installation_take_turns() {
    let name = "two_replicas_with_the_rights_of_an_existing_installation_take_turns";
    let Some((world, kubeconfig)) = existing(name).await else { return };
    let second = server(&world, &kubeconfig).await;
    checks::two_replicas_take_turns(&world, &second).await;
}

#[tokio::test]
async fn an_outage_passes_with_the_rights_of_an_existing_installation() {
    let name = "an_outage_passes_with_the_rights_of_an_existing_installation";
    let Some(mut world) = crate::support::world(name).await else { return };
    // Made for its role and binding; the way there is the proxy's.
    rights(&world).await;
    let proxy = TcpProxy::start(world.cluster.addr()).await;
    let address = proxy.address;
    let through = world.cluster.proxy_token_kubeconfig(address, &world.namespace, "default").await;
    world.server = server(&world, &through).await;
    swap(&mut world).await;
    let spec = world.credential_spec("default").await;
    world.create(&world.pod(&gmsa(Some(&spec), None))).await;
    proxy.cut();
    let pod = world.pod(&gmsa(Some(&spec), None));
    let (code, message) = world.try_create(&pod).await.unwrap_err();
    assert_eq!(code, 500, "{message}");
    let words = format!("cannot decide on GMSA cred spec \"{spec}\": failed to read");
    assert!(message.contains(&words), "{message}");
    proxy.resume();
    let stored = eventually("pods are admitted again", crate::support::SOON, || async {
        world.try_create(&pod).await.ok()
    })
    .await;
    assert_eq!(contents_at(&stored, "/spec"), Some(canonical("WebApp1").as_str()));
}

#[test]
fn a_bad_boolean_stops_the_start() {
    let output = std::process::Command::new(crate::support::PROGRAM)
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
