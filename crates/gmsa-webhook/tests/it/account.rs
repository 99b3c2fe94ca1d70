//! The server's own service account is deleted and made again: tokens are bound to its UID.

use std::time::Duration;

use gmsa_testkit::https::Https;
use gmsa_testkit::objects::gmsa;
use gmsa_testkit::process::eventually;
use gmsa_testkit::webhook::Webhook;
use http::StatusCode;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, DeleteParams};
use serde_json::{Value, json};

use crate::support::{World, server, world};

/// The server notices after 30 s, and reads its token again once a minute.
const NOTICED: Duration = Duration::from_secs(100);
const ACCOUNT: &str = "webhook";

fn account(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": ACCOUNT, "namespace": namespace}})
}

/// Lets the service account do what the server needs.
async fn rights(world: &World) {
    let name = world.cluster.unique("account");
    let read = ["get", "list", "watch"];
    world
        .cluster
        .apply(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": [
                {"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"], "verbs": read},
                {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]}]}))
        .await;
    world
        .cluster
        .apply(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": world.namespace}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}}))
        .await;
}

#[tokio::test]
async fn a_service_account_made_again_is_noticed_and_its_new_token_is_used() {
    let name = "a_service_account_made_again_is_noticed_and_its_new_token_is_used";
    let Some(mut world) = world(name).await else { return };
    let own = world.namespace.clone();
    world.cluster.apply(&account(&own)).await;
    rights(&world).await;
    let (kubeconfig, token) = world.cluster.token_file_kubeconfig(&own, ACCOUNT).await;
    world.server = server(&world.cluster, &world.authority, &kubeconfig, &[]).await;
    let address = world.server.https;
    world.webhook = Webhook::register(&world.cluster, address, world.authority.pem()).await;
    world.namespace = world.webhook.namespace(&world.cluster, "account").await;
    let spec = world.credential_spec("default").await;
    world.create(&world.pod(&gmsa(Some(&spec), None))).await;
    let rejected = "gmsa_token_rejected_seconds";
    assert_eq!(world.server.metric(rejected).await, 0.0);

    let accounts: Api<ServiceAccount> = Api::namespaced(world.cluster.client.clone(), &own);
    accounts.delete(ACCOUNT, &DeleteParams::default()).await.unwrap();
    world.cluster.apply(&account(&own)).await;
    let https = Https::new(address, world.authority.pem());
    let answer = eventually("the server is not ready", NOTICED, || async {
        // What has to be decided is denied; nothing else asks the API server for a while.
        let _ = world.try_create(&world.pod(&gmsa(Some(&spec), None))).await;
        let answer = https.get("/readyz").await.unwrap();
        (answer.status == StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
    })
    .await;
    for words in ["has rejected the token of this pod", "restart the pods"] {
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    assert!(world.server.metric(rejected).await >= 30.0);
    let denied = world.try_create(&world.pod(&gmsa(Some(&spec), None))).await.unwrap_err();
    assert!(denied.1.contains("Unauthorized"), "{}", denied.1);
    world.create(&world.pod(&json!({}))).await;
    assert_eq!(https.get("/livez").await.unwrap().status, StatusCode::OK, "it goes on");

    std::fs::write(&token, world.cluster.token(&own, ACCOUNT).await).unwrap();
    eventually("the server is ready with the new token", NOTICED, || async {
        let created = world.try_create(&world.pod(&gmsa(Some(&spec), None))).await;
        let answer = https.get("/readyz").await.unwrap();
        (created.is_ok() && answer.status == StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(world.server.metric(rejected).await, 0.0);
}
