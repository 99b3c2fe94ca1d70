//! What of the warnings arrives at a client of the real API server.

use gmsa_testkit::process::eventually;
use gmsa_testkit::tools;
use gmsa_webhook::wire;
use http::Request;
use k8s_openapi::ByteString;
use kube::client::Body;
use serde_json::json;
use tokio::process::Command;

use crate::support::{SOON, World, other_webhook, world};

/// A webhook that gives these warnings, in our encoding, at each new ConfigMap of the namespace.
async fn warning_webhook(world: &World, warnings: Vec<String>) {
    let port = other_webhook(&world.authority, move |review| {
        let uid = review["request"]["uid"].as_str().unwrap();
        String::from_utf8(wire::encode_warnings(uid, warnings.clone())).unwrap()
    })
    .await;
    let label = world.label().await;
    let ca = serde_json::to_value(ByteString(world.authority.pem().as_bytes().to_vec())).unwrap();
    let configuration = json!({"apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration", "metadata": {"name": format!("warns.{label}")},
        "webhooks": [{"name": "warns.gmsa.test", "admissionReviewVersions": ["v1"],
            "sideEffects": "None", "failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"gmsa-testkit/webhook": label}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["configmaps"]}],
            "clientConfig": {"url": format!("https://localhost:{port}/"), "caBundle": ca}}]});
    world.cluster.apply(&configuration).await;
}

/// The texts of the Warning headers when a ConfigMap is created.
async fn headers(world: &World) -> Vec<String> {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dry"}});
    let request =
        Request::post(format!("/api/v1/namespaces/{}/configmaps?dryRun=All", world.namespace))
            .header("content-type", "application/json")
            .body(Body::from(object.to_string().into_bytes()))
            .unwrap();
    let answer = world.cluster.client.send(request).await.unwrap();
    assert_eq!(answer.status(), 201);
    let headers = answer.headers().get_all("warning").iter();
    // RFC 7234, 5.5: `299 - "TEXT"`, with quotes and backslashes escaped.
    headers
        .map(|header| {
            let text = header.to_str().unwrap().strip_prefix("299 - \"").unwrap();
            text.strip_suffix('"').unwrap().replace("\\\"", "\"").replace("\\\\", "\\")
        })
        .collect()
}

#[tokio::test]
async fn every_warning_arrives_or_is_counted() {
    let test = "every_warning_arrives_or_is_counted";
    let Some(world) = world(test).await else { return };
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let mut warnings = vec!["gmsa: two\nlines".to_owned(), "gmsa: caf\u{e9} \"a\\b\"".to_owned()];
    warnings.extend((0..100).map(|n| format!("gmsa: warning {n} {}", "x ".repeat(150))));
    let sent = wire::fit_warnings(warnings.clone());
    warning_webhook(&world, warnings).await;
    let arrived = eventually("the webhook is asked", SOON, || async {
        Some(headers(&world).await).filter(|found| !found.is_empty())
    })
    .await;
    assert_eq!(arrived, sent);
    assert!(arrived.contains(&"gmsa: two\\nlines".to_owned()), "{arrived:?}");
    let last = arrived.last().unwrap();
    assert_eq!(*last, format!("gmsa: {} more warnings are left out", 103 - arrived.len()));

    let shown = Command::new(kubectl)
        .env("KUBECONFIG", &world.cluster.kubeconfig)
        .env("HOME", world.cluster.files())
        .args(["create", "configmap", "seen", "-n", &world.namespace])
        .output()
        .await
        .unwrap();
    let shown = String::from_utf8(shown.stderr).unwrap();
    for warning in &sent {
        assert!(shown.contains(&format!("Warning: {warning}\n")), "{warning} is not in {shown}");
    }
}
