//! What tests ask an API server for, whichever control plane it belongs to.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::Value;

/// Whether the API server says that it is ready, and has made the first namespace, which comes a
/// moment later.
pub(crate) async fn is_ready(client: &Client) -> bool {
    for path in ["/readyz", "/api/v1/namespaces/default"] {
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        if client.request_text(request).await.is_err() {
            return false;
        }
    }
    true
}

/// Whether a namespace has the service account that its pods need.
pub(crate) async fn has_service_account(client: &Client, namespace: &str) -> bool {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    matches!(accounts.get_opt("default").await, Ok(Some(_)))
}

/// A token of a service account, valid for an hour.
pub(crate) async fn token(client: &Client, namespace: &str, service_account: &str) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let request = TokenRequest {
        spec: Some(TokenRequestSpec { expiration_seconds: Some(3600), ..Default::default() }),
        ..Default::default()
    };
    let params = PostParams::default();
    let answer = accounts.create_token_request(service_account, &params, &request).await;
    let answer = answer
        .unwrap_or_else(|e| panic!("failed to get a token for {namespace}/{service_account}: {e}"));
    answer.status.and_then(|status| status.token).expect("the answer has no token")
}

/// Sends a request for any path of the API server; a PATCH is a merge patch.
pub async fn request(
    client: &Client,
    method: &str,
    path: &str,
    body: &Value,
) -> kube::Result<Value> {
    let content = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content)
        .body(body.to_string().into_bytes())
        .unwrap();
    client.request(request).await
}

/// A name that no other test uses: the prefix and a random number.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // The hasher's keys are random in each process.
    let random = RandomState::new().hash_one((std::process::id(), count));
    format!("{prefix}-{:08x}{count}", random & 0xffff_ffff)
}
