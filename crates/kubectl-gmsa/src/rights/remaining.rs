//! Whether a right is still there, and by which way.

use std::time::Duration;

use gmsa_cluster::api::access_review;
use gmsa_cluster::api::objects::{Objects, kinds};
use gmsa_core::admission::Right;
use gmsa_core::rbac::{Grant, Policy};
use kube::Client;
use serde_json::Value;

use super::policy;
use super::shape;
use crate::failure::Failure;

/// How long the API server's own view may lag behind a change that it has confirmed.
const LAG: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);

/// The roles and bindings of a cluster.
pub struct Rules {
    /// Every object that was read.
    objects: Vec<Value>,
    /// Whether the role bindings of all namespaces are among them.
    pub everywhere: bool,
}

impl Rules {
    /// Reads them: those of all namespaces if that is allowed, else those of the given ones.
    pub async fn read(objects: &Objects, namespaces: &[&str]) -> Result<Self, Failure> {
        let mut found = Vec::new();
        for kind in [kinds::CLUSTER_ROLE, kinds::CLUSTER_ROLE_BINDING] {
            found.extend(objects.list(kind, None).await?);
        }
        let mut everywhere = true;
        for kind in [kinds::ROLE, kinds::ROLE_BINDING] {
            match objects.list(kind, None).await {
                Ok(all) => found.extend(all),
                Err(error) if error.code() == Some(403) => {
                    everywhere = false;
                    for namespace in namespaces {
                        found.extend(objects.list(kind, Some(namespace)).await?);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { objects: found, everywhere })
    }

    /// Takes these service accounts out of our binding, as the change that is only tried would.
    pub fn without(&mut self, credential_spec: &str, namespace: &str, accounts: &[&str]) {
        for object in &mut self.objects {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            let is_it = text("/kind") == Some("RoleBinding")
                && text("/metadata/namespace") == Some(namespace)
                && text("/metadata/name") == Some(&shape::name(credential_spec))
                && shape::binding_differs(object, credential_spec).is_none();
            if let Some(changed) =
                is_it.then(|| shape::without(object, namespace, accounts)).flatten()
            {
                let gone = shape::subjects(&changed).is_empty() && shape::is_ours(&changed);
                *object = if gone { Value::Null } else { changed };
            }
        }
    }

    /// Takes the binding away that a denial's command makes.
    pub fn without_pair(&mut self, pair: &gmsa_core::grant::Grant<'_>) {
        for object in &mut self.objects {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            if text("/kind") == Some("RoleBinding")
                && text("/metadata/namespace") == Some(pair.namespace())
                && shape::is_binding_of_pair(object, pair)
            {
                *object = Value::Null;
            }
        }
    }

    /// Whether any binding of the namespace refers to the role.
    pub fn refer_to_role(&self, namespace: &str, role: &str) -> bool {
        self.objects.iter().any(|object| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            text("/metadata/namespace") == Some(namespace)
                && text("/roleRef/kind") == Some("Role")
                && text("/roleRef/name") == Some(role)
        })
    }

    /// Whether any binding refers to the cluster role.
    pub fn refer_to(&self, cluster_role: &str) -> bool {
        self.objects.iter().any(|object| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            text("/roleRef/kind") == Some("ClusterRole")
                && text("/roleRef/name") == Some(cluster_role)
        })
    }

    /// What they allow.
    pub fn policy(&self) -> Result<Policy, Failure> {
        policy(self.objects.iter())
    }
}

/// Whether the API server still allows it although no role does. It is asked until it denies, for
/// as long as its view may lag behind.
pub async fn still_allowed(client: &Client, namespace: &str, account: &str, name: &str) -> Right {
    let begun = tokio::time::Instant::now();
    loop {
        let right = access_review::review(client.clone(), namespace, account, name).await;
        if right != Right::Allowed || begun.elapsed() > LAG {
            return right;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A way in words.
pub fn way(grant: &Grant) -> String {
    let mut words = format!("{} -> {}, subject {}", grant.binding, grant.role, grant.subject);
    if !grant.aggregated_from.is_empty() {
        words = format!("{words}, aggregated from {}", grant.aggregated_from.join(", "));
    }
    if grant.wildcard {
        words.push_str(", by a wildcard");
    }
    words
}
