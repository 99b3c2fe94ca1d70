//! The server's own certificate, those of a user, and the way from one to the other, under steady creation of
//! pods.

use gmsa_core::names::SECRET;
use gmsa_testkit::pki::Authority;
use k8s_openapi::ByteString;
use serde_json::json;

use super::Cluster;
use crate::support::load::Load;

const SERVICE: &str = "gmsa-webhook.gmsa-webhook.svc";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_a_user_take_over_and_are_given_up_under_load() {
    let test = "certificates_of_a_user_take_over_and_are_given_up_under_load";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&["--certificates=self"]).await;
    cluster.namespace("sources").await;
    let load = Load::start(&cluster.node.client, "sources");
    cluster.installed(&["--certificates=files"]).await;
    load.nothing_failed("towards files").await;

    // Another CA, as docs/install.md says.
    let own: ByteString = serde_json::from_value(cluster.bundle().await).unwrap();
    let own = String::from_utf8(own.0).unwrap();
    let authority = Authority::new("of a user");
    let files = tempfile::tempdir().unwrap();
    let bundle = files.path().join("bundle.pem");
    let trusting = format!("--ca-bundle={}", bundle.display());
    std::fs::write(&bundle, format!("{own}{}", authority.pem())).unwrap();
    cluster.done(&["upgrade", &trusting]).await;
    let pair = authority.server(&[SERVICE]);
    let pair = json!({"stringData": {"tls.crt": pair.cert, "tls.key": pair.key, "ca.crt": authority.pem()}});
    cluster.patch_secret(&pair).await;
    cluster.serves_the_certificate().await;
    std::fs::write(&bundle, authority.pem()).unwrap();
    cluster.done(&["upgrade", &trusting]).await;
    assert_eq!(cluster.bundle().await, cluster.part(SECRET, "ca.crt").await);
    load.nothing_failed("when a CA of the user had taken over").await;

    cluster.installed(&["--certificates=self"]).await;
    load.nothing_failed("towards the server's own").await;
    assert_ne!(cluster.part(SECRET, "ca.key").await, json!(null));
    assert_eq!(cluster.run(&["status"]).await.code, 0);
    eprintln!("{} pods while the source was changed", load.count());
    load.end().await;
    cluster.remove_namespace("sources").await;
}
