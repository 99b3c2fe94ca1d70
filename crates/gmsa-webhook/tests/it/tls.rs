//! The TLS settings, each by a handshake of the system's OpenSSL.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::store::start;
use crate::support::{SOON, install_definition, server};
use gmsa_testkit::https::Https;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::{objects, shared};
use http::StatusCode;
use rustls::NamedGroup;
use rustls::crypto::aws_lc_rs;
use serde_json::{Value, json};

/// The FIPS module approves neither X25519 nor `ChaCha20`, and a server built with it offers neither.
const FIPS: bool = cfg!(feature = "fips");

/// What was agreed: version, cipher suite and group, as OpenSSL prints them. None if the handshake
/// failed.
fn shake(address: SocketAddr, args: &[&str]) -> Option<(String, String, String)> {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string()])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("openssl is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let after = |start: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(start))?;
        Some(line.trim().to_owned())
    };
    // New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384
    let agreed = after("New, ")?;
    let (version, cipher) = agreed.split_once(", Cipher is ")?;
    // A handshake that failed after the hello has a cipher, but no end.
    (output.status.success() && cipher != "(NONE)").then(|| {
        let group = after("Server Temp Key: ").unwrap_or_default();
        (version.to_owned(), cipher.to_owned(), group)
    })
}

#[tokio::test]
async fn the_least_version_is_kept() {
    let by_default = start(&[]).await;
    let of = |address, flag| shake(address, &[flag]).map(|(version, ..)| version);
    assert_eq!(of(by_default.server.https, "-tls1_2").as_deref(), Some("TLSv1.2"));
    assert_eq!(of(by_default.server.https, "-tls1_3").as_deref(), Some("TLSv1.3"));
    assert_eq!(of(by_default.server.https, "-tls1_1"), None);
    let newest = start(&["--tls-min-version=VersionTLS13"]).await;
    assert_eq!(of(newest.server.https, "-tls1_2"), None);
    assert_eq!(of(newest.server.https, "-tls1_3").as_deref(), Some("TLSv1.3"));
}

#[tokio::test]
async fn only_the_named_cipher_suites_are_agreed() {
    let (one, other) = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384");
    let of_tls12 = |address, cipher| {
        shake(address, &["-tls1_2", "-cipher", cipher]).map(|(_, cipher, _)| cipher)
    };
    let of_tls13 = |address, cipher| {
        shake(address, &["-tls1_3", "-ciphersuites", cipher]).map(|(_, cipher, _)| cipher)
    };
    // Those of TLS 1.3 stay, as in Go.
    let world = start(&["--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]).await;
    let address = world.server.https;
    assert_eq!(of_tls12(address, one).as_deref(), Some(one));
    assert_eq!(of_tls12(address, other), None);
    for (suite, is_offered) in
        [("TLS_AES_128_GCM_SHA256", true), ("TLS_CHACHA20_POLY1305_SHA256", !FIPS)]
    {
        assert_eq!(of_tls13(address, suite).as_deref(), is_offered.then_some(suite));
    }
    // Those of TLS 1.3 too, and no TLS 1.2 without a suite.
    let world = start(&["--tls-cipher-suites=TLS_AES_128_GCM_SHA256"]).await;
    let address = world.server.https;
    let suite = "TLS_AES_128_GCM_SHA256";
    assert_eq!(of_tls13(address, suite).as_deref(), Some(suite));
    assert_eq!(of_tls13(address, "TLS_AES_256_GCM_SHA384"), None);
    assert_eq!(of_tls12(address, one), None);
}

#[tokio::test]
async fn only_the_named_groups_are_agreed() {
    let of = |address, groups| shake(address, &["-groups", groups]).map(|(_, _, group)| group);
    let world = start(&["--tls-curves=CurveP384,CurveP256"]).await;
    let address = world.server.https;
    for (groups, agreed) in [
        ("P-384:P-256", Some("ECDH, secp384r1, 384 bits")),
        ("X25519:P-256", Some("ECDH, prime256v1, 256 bits")),
        ("X25519", None),
    ] {
        assert_eq!(of(address, groups).as_deref(), agreed, "{groups}");
    }
    let world = start(&[]).await;
    let agreed = (!FIPS).then_some("X25519, 253 bits");
    assert_eq!(of(world.server.https, "X25519").as_deref(), agreed);
    let agreed = Some("ECDH, prime256v1, 256 bits");
    assert_eq!(of(world.server.https, "P-256").as_deref(), agreed);
}

/// OpenSSL before 3.5 knows no such group: the client is rustls, as the server.
#[tokio::test]
async fn a_group_that_resists_quantum_computers_comes_first() {
    let agreed = async |world: &crate::store::World| {
        let https = Https::new(world.server.https, world.authority.pem());
        let stream = https.connect("http/1.1").await.unwrap();
        stream.get_ref().1.negotiated_key_exchange_group().unwrap().name()
    };
    assert_eq!(agreed(&start(&[]).await).await, NamedGroup::X25519MLKEM768);
    assert_eq!(agreed(&start(&["--tls-curves=23,24"]).await).await, NamedGroup::secp256r1);
    let groups = aws_lc_rs::default_provider().kx_groups;
    assert_eq!(groups[0].name(), NamedGroup::X25519MLKEM768, "the clients of this build, too");
}

#[tokio::test]
async fn metrics_are_served_over_https_if_asked() {
    let world = start(&["--metrics-https", "--tls-min-version=VersionTLS13"]).await;
    let address = world.server.metrics;
    assert_eq!(shake(address, &["-tls1_2"]), None);
    let https = Https::new(address, world.authority.pem());
    let answer = https.get("/metrics").await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text().ends_with("# EOF\n"));
    let (mut sender, _connection) = https.http2().await.unwrap();
    let request = https.request(http::Method::GET, "/metrics", None, String::new());
    let answer = gmsa_testkit::https::collect(sender.send_request(request).await.unwrap()).await;
    assert_eq!(answer.unwrap().status, StatusCode::OK);
}

/// The kind of OpenShift's settings of API servers, as far as it is read.
fn apiservers() -> Value {
    let group = "config.openshift.io";
    let mut definition = objects::definition(group, "APIServer", "apiservers", &objects::any());
    definition["metadata"]["annotations"] =
        json!({"api-approved.kubernetes.io": "https://github.com/openshift/api/pull/470"});
    definition["spec"]["scope"] = json!("Cluster");
    definition
}

#[tokio::test]
async fn the_profile_of_an_openshift_cluster_is_followed() {
    let test = "the_profile_of_an_openshift_cluster_is_followed";
    let Some(cluster) = shared::cluster(test).await else { return };
    install_definition(&cluster).await;
    let authority = Authority::new("test");
    let kubeconfig = cluster.kubeconfig.clone();
    let flags = ["--follow-tls-profile"];
    let versions = |address| ["-tls1_2", "-tls1_3"].map(|flag| shake(address, &[flag]).is_some());
    // Without the object it is as everywhere.
    let server = server(&cluster, &authority, &kubeconfig, &flags).await;
    assert_eq!(versions(server.https), [true, true]);

    cluster.apply(&apiservers()).await;
    let profile = |profile: Value| {
        json!({"apiVersion": "config.openshift.io/v1", "kind": "APIServer",
            "metadata": {"name": "cluster"}, "spec": {"tlsSecurityProfile": profile}})
    };
    cluster.apply(&profile(json!({"type": "Modern", "modern": {}}))).await;
    eventually("the server follows the profile Modern", SOON, || async {
        (versions(server.https) == [false, true]).then_some(())
    })
    .await;
    let custom = json!({"type": "Custom", "custom": {"minTLSVersion": "VersionTLS12",
        "ciphers": ["ECDHE-ECDSA-AES128-GCM-SHA256", "AES128-SHA"], "groups": ["secp256r1"]}});
    cluster.apply(&profile(custom)).await;
    eventually("the server follows the custom profile", SOON, || async {
        let only = shake(server.https, &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"]);
        (only?.2 == "ECDH, prime256v1, 256 bits").then_some(())
    })
    .await;
    assert_eq!(shake(server.https, &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"]), None);
    assert_eq!(shake(server.https, &["-groups", "X25519"]), None);
    let log = server.log().join("\n");
    assert!(log.contains("AES128-SHA"), "what is not known is named: {log}");
}
