//! A controller that edits webhook configurations as the Admissions Enforcer of AKS does: it adds its
//! expressions to every `namespaceSelector`, as a field manager of its own.

use futures::{StreamExt as _, pin_mut};
use gmsa_core::names::{AKS_ENFORCER, AKS_ENFORCER_LABELS};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, PostParams, WatchEvent, WatchParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

/// Its field manager.
pub const MANAGER: &str = "admissionsenforcer";

/// A running enforcer; it ends when this is dropped.
pub struct Enforcer(Vec<tokio::task::JoinHandle<()>>);

impl Drop for Enforcer {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Enforcer {
    /// Edits configurations as soon as they appear or change; those that opted out only if it does
    /// not `obey` the annotation.
    pub fn start(client: &Client, obey: bool) -> Self {
        let tasks =
            ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"].map(|kind| {
                let api = configurations(client, kind);
                tokio::spawn(async move {
                    // A watch ends after some minutes at most.
                    loop {
                        let Ok(events) = api.watch(&WatchParams::default(), "0").await else {
                            continue;
                        };
                        pin_mut!(events);
                        while let Some(Ok(event)) = events.next().await {
                            if let WatchEvent::Added(found) | WatchEvent::Modified(found) = event {
                                edit(&api, found, obey).await;
                            }
                        }
                    }
                })
            });
        Self(tasks.into())
    }

    /// Edits each of our configurations once.
    pub async fn once(client: &Client) {
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let api = configurations(client, kind);
            let found = api.get(gmsa_core::names::NAME).await.unwrap();
            assert!(edit(&api, found, false).await, "nobody else edits meanwhile");
        }
    }
}

fn configurations(client: &Client, kind: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
    Api::all_with(client.clone(), &ApiResource::from_gvk(&kind))
}

/// Whether the object was changed.
async fn edit(api: &Api<DynamicObject>, mut found: DynamicObject, obey: bool) -> bool {
    let annotations = found.metadata.annotations.clone().unwrap_or_default();
    if obey && annotations.get(AKS_ENFORCER).is_some_and(|value| value == "true") {
        return false;
    }
    let mut changed = false;
    for hook in found.data["webhooks"].as_array_mut().into_iter().flatten() {
        let selector = &mut hook["namespaceSelector"];
        if !selector["matchExpressions"].is_array() {
            selector["matchExpressions"] = json!([]);
        }
        let expressions = selector["matchExpressions"].as_array_mut().unwrap();
        for (key, value) in AKS_ENFORCER_LABELS {
            if !expressions.iter().any(|one: &Value| one["key"] == key) {
                expressions.push(json!({"key": key, "operator": "NotIn", "values": [value]}));
                changed = true;
            }
        }
    }
    if !changed {
        return false;
    }
    let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    let name = found.metadata.name.clone().unwrap();
    // Another change came first: its event follows.
    api.replace(&name, &params, &found).await.is_ok()
}
