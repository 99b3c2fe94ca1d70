//! The API server stops while pods run: the replicas and the kubelet go on, and a replica that ends
//! meanwhile is started again and left alone until it can read its certificate.

use gmsa_core::names::NAME;
use gmsa_testkit::https::Https;
use gmsa_testkit::process::eventually;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::Api;

use super::Cluster;
use super::under_load::{is_ready, restarts};
use crate::support::load::admit;
use crate::support::world::SOON;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_outlive_the_api_server_and_start_without_it() {
    let test = "replicas_outlive_the_api_server_and_start_without_it";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&[]).await;
    cluster.replicas_ended().await;
    cluster.namespace("outage").await;
    admit(&cluster.node.client, "outage").await.unwrap();
    let [first, second]: [Pod; 2] = cluster.pods().await.try_into().expect("two replicas");
    let before = [cluster.process(&first).await, cluster.process(&second).await];
    let address = |pod: &Pod| format!("{}:8443", pod.status.clone().unwrap().pod_ip.unwrap());
    let forwards = [
        cluster.node.forward(&address(&first)).await,
        cluster.node.forward(&address(&second)).await,
    ];
    let probe = async |forward: usize, path: &str| {
        let https = Https::trusting(([127, 0, 0, 1], forwards[forward].port).into());
        let answer = https.get(path).await.ok()?;
        Some((answer.status.as_u16(), answer.text()))
    };

    cluster.node.stop_api_server();
    cluster.node.shell(&format!("kill -9 {}", before[0]));
    let started = eventually("kubelet starts it again", SOON, || async {
        let now = cluster.process(&first).await;
        (now != before[0]).then_some(now)
    })
    .await;
    // As the kubelet asks: without a certificate there is an answer, so that nothing is killed.
    let alive = eventually("the new process answers", SOON, || probe(0, "/livez")).await;
    assert_eq!(alive, (200, "ok\n".to_owned()));
    let (status, why) = probe(0, "/readyz").await.unwrap();
    assert_eq!(status, 503, "{why}");
    assert_eq!(probe(1, "/livez").await.unwrap().0, 200);
    assert_eq!(cluster.process(&second).await, before[1]);
    cluster.node.start_api_server();

    let pods: Api<Pod> = Api::namespaced(cluster.node.client.clone(), NAME);
    eventually("it is ready when the API server is back", SOON, || async {
        let pod = pods.get(&first.name_any()).await.ok()?;
        (restarts(&pod) == restarts(&first) + 1 && is_ready(&pod)).then_some(())
    })
    .await;
    assert_eq!(cluster.process(&first).await, started);
    let other = pods.get(&second.name_any()).await.unwrap();
    assert_eq!(restarts(&other), restarts(&second));
    assert_eq!(cluster.process(&second).await, before[1]);
    eventually("pods are admitted", SOON, || async {
        admit(&cluster.node.client, "outage").await.ok()
    })
    .await;
    cluster.remove_namespace("outage").await;
}
