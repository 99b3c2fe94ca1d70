//! The control planes that the other tests rely on.

use std::time::Duration;

use gmsa_testkit::control_plane::{self, ControlPlane, Options};
use gmsa_testkit::process::eventually;
use gmsa_testkit::shared;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde_json::json;

const SOON: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_deployment_becomes_pods() {
    let Some(cluster) = shared::cluster("a_deployment_becomes_pods").await else { return };
    let namespace = cluster.namespace("deployment").await;
    cluster
        .apply(&json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "web", "namespace": namespace },
            "spec": {
                "replicas": 2,
                "selector": { "matchLabels": { "app": "web" } },
                "template": {
                    "metadata": { "labels": { "app": "web" } },
                    "spec": { "containers": [{ "name": "web", "image": "web" }] },
                },
            },
        }))
        .await;
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
    eventually("two pods", SOON, || async {
        let pods = pods.list(&ListParams::default().labels("app=web")).await.unwrap();
        (pods.items.len() == 2).then_some(())
    })
    .await;
    let sets: Api<ReplicaSet> = Api::namespaced(cluster.client.clone(), &namespace);
    let sets = sets.list(&ListParams::default()).await.unwrap();
    assert_eq!(sets.items.len(), 1);
}

#[tokio::test]
async fn a_service_account_has_no_rights_of_its_own() {
    let name = "a_service_account_has_no_rights_of_its_own";
    let Some(cluster) = shared::cluster(name).await else { return };
    let namespace = cluster.namespace("token").await;
    let kubeconfig = cluster.token_kubeconfig(&namespace, "default").await;
    let client = control_plane::client(&kubeconfig).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, &namespace);
    match maps.list(&ListParams::default()).await {
        Err(kube::Error::Api(status)) => {
            assert_eq!(status.code, 403);
            let user = format!("system:serviceaccount:{namespace}:default");
            assert!(status.message.contains(&user), "{}", status.message);
        }
        other => panic!("expected a denial, got {other:?}"),
    }
}

#[tokio::test]
async fn a_private_api_server_comes_back_with_its_objects() {
    let name = "a_private_api_server_comes_back_with_its_objects";
    let Some(mut plane) = ControlPlane::start_private(name, Options::default()).await else {
        return;
    };
    let client = plane.client().await;
    let version = client.apiserver_version().await.unwrap();
    let minor: u32 = version.minor.trim_end_matches('+').parse().unwrap();
    assert_eq!(plane.version(), (1, minor));
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let mut map = ConfigMap::default();
    map.metadata.name = Some("kept".to_owned());
    maps.create(&PostParams::default(), &map).await.unwrap();

    plane.pause();
    let silent = tokio::time::timeout(Duration::from_millis(500), maps.get("kept")).await;
    assert!(silent.is_err(), "a paused API server answered");
    plane.resume();
    maps.get("kept").await.unwrap();

    plane.stop_api_server();
    assert!(maps.get("kept").await.is_err(), "a stopped API server answered");
    plane.start_api_server().await;
    maps.get("kept").await.unwrap();
}
