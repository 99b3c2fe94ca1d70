//! The Secret of the server's certificates.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use gmsa_core::names::{ROTATE_BEFORE, SERVER_FIELD_MANAGER};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::api::{Error, answer};

const SECRET_TYPE: &str = "kubernetes.io/tls";

/// The content of the Secret.
pub type Data = BTreeMap<String, Vec<u8>>;

/// The Secret as it was read.
#[derive(Clone)]
pub struct Stored {
    /// What it holds.
    pub data: Data,
    /// The value of the annotation [`ROTATE_BEFORE`].
    pub rotate_before: Option<String>,
    /// Whether another replica wrote the same content before this one did: several that miss the
    /// Secret at the same time may all restore it.
    pub shared: bool,
    version: String,
}

/// The Secret of this name and namespace.
#[derive(Clone)]
pub struct CertificateSecret {
    pub(super) api: Api<Secret>,
    namespace: String,
    name: String,
}

impl CertificateSecret {
    pub(super) fn new(client: &Client, namespace: &str, name: &str) -> Self {
        let api = Api::namespaced(client.clone(), namespace);
        Self { api, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// As messages name it.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("Secret {}/{}", self.namespace, self.name)
    }

    /// Reads it; none if there is none.
    pub async fn read(&self) -> Result<Option<Stored>, Error> {
        let found = answer("read the", self.shown(), self.api.get_opt(&self.name)).await;
        Ok(found.map_err(with_remedy)?.map(stored))
    }

    /// Writes it in place of the one that was read, or creates it. It is a conflict if another
    /// replica wrote it meanwhile.
    pub async fn write(&self, data: &Data, instead_of: Option<&Stored>) -> Result<Stored, Error> {
        let encoded: BTreeMap<&str, ByteString> =
            data.iter().map(|(key, value)| (key.as_str(), ByteString(value.clone()))).collect();
        let random = RandomState::new().hash_one(&self.name);
        let (version, kind, params) = match instead_of {
            Some(stored) => {
                (Some(&stored.version), None, PatchParams::apply(SERVER_FIELD_MANAGER).force())
            }
            // Of several replicas that create it at the same time the first wins: the others are
            // other managers, so they conflict. If all write the same, all succeed.
            None => (
                None,
                Some(SECRET_TYPE),
                PatchParams::apply(&format!("{SERVER_FIELD_MANAGER}-{random:016x}")),
            ),
        };
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {"app.kubernetes.io/name": "gmsa-webhook"},
                "resourceVersion": version,
            },
            "type": kind,
            "data": encoded,
        });
        drop_nulls(&mut object);
        let patch = Patch::Apply(&object);
        let written = self.api.patch(&self.name, &params, &patch);
        answer("write the", self.shown(), written).await.map(stored).map_err(with_remedy)
    }
}

fn stored(secret: Secret) -> Stored {
    Stored {
        version: secret.resource_version().unwrap_or_default(),
        rotate_before: secret.annotations().get(ROTATE_BEFORE).cloned(),
        shared: secret.managed_fields().iter().filter(|one| is_server(one)).count() > 1,
        data: secret
            .data
            .unwrap_or_default()
            .into_iter()
            .map(|(key, ByteString(value))| (key, value))
            .collect(),
    }
}

fn is_server(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_ref().is_some_and(|manager| manager.starts_with(SERVER_FIELD_MANAGER))
}

/// Leaves out what has no value.
fn drop_nulls(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
        object.values_mut().for_each(drop_nulls);
    }
}

/// What to do where the server lacks a right to an object of its own.
pub(super) fn with_remedy(error: Error) -> Error {
    if error.is_forbidden() {
        error.with_remedy(
            "grant the server's service account this right, or give it a certificate in files \
             (--tls-cert and --tls-key)",
        )
    } else {
        error
    }
}
