//! Webhook configurations that send a test's own namespaces to a test's own server.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::process::eventually;
use crate::requests::unique;

/// The label that selects a namespace for one server's configurations.
const LABEL: &str = "gmsa-testkit/webhook";

/// A registered webhook.
pub struct Webhook {
    label: String,
}

impl Webhook {
    /// Registers a server for namespaces that carry a label of its own.
    pub async fn register(cluster: &Cluster, server: SocketAddr, ca: &str) -> Self {
        let label = unique("webhook");
        let this = Self { label };
        this.point_to(cluster, server, ca).await;
        this
    }

    /// Points the configurations at a server, also when they exist already.
    pub async fn point_to(&self, cluster: &Cluster, server: SocketAddr, ca: &str) {
        for (kind, path) in [
            ("MutatingWebhookConfiguration", "mutate"),
            ("ValidatingWebhookConfiguration", "validate"),
        ] {
            cluster.apply(&self.configuration(kind, path, server, ca)).await;
        }
    }

    fn configuration(&self, kind: &str, path: &str, server: SocketAddr, ca: &str) -> Value {
        let name = format!("{path}.{}", self.label);
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": name},
            "webhooks": [{
                "name": format!("{path}.gmsa.test"),
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "matchPolicy": "Equivalent",
                "timeoutSeconds": 5,
                "namespaceSelector": {"matchLabels": {LABEL: self.label}},
                "rules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                        "resources": ["pods"]},
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                        "resources": ["pods/ephemeralcontainers"]},
                ],
                "clientConfig": {
                    "url": format!("https://localhost:{}/{path}", server.port()),
                    "caBundle": STANDARD.encode(ca),
                },
            }],
        })
    }

    /// Creates a namespace whose pods this webhook sees, and waits until both steps are in force.
    pub async fn namespace(&self, cluster: &Cluster, prefix: &str) -> String {
        let namespace = cluster.namespace_with_labels(prefix, &json!({LABEL: self.label})).await;
        let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        for (options, step) in [
            (json!({"gmsaCredentialSpecName": "Invalid"}), "mutate.gmsa.test"),
            (json!({"gmsaCredentialSpec": "{}"}), "validate.gmsa.test"),
        ] {
            let probe: Pod = serde_json::from_value(json!({
                "metadata": {"name": "probe"},
                "spec": {"containers": [{"name": "c", "image": "i"}],
                    "securityContext": {"windowsOptions": options}},
            }))
            .unwrap();
            eventually("the webhook is in force", Duration::from_secs(30), || async {
                match pods.create(&dry, &probe).await {
                    Err(kube::Error::Api(status)) if status.message.contains(step) => Some(()),
                    _ => None,
                }
            })
            .await;
        }
        namespace
    }
}
