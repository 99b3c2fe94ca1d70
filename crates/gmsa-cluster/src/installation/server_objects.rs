//! The server's own objects: the Secret of its certificates and its webhook configurations.
//!
//! They are read and written by name only, which is all that the server's role grants.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{StreamExt as _, pin_mut};
use gmsa_core::names::{ROTATE_BEFORE, SERVER_FIELD_MANAGER};
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::api::{Api, Patch, PatchParams, WatchParams};
use kube::{Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::api::client::why;
use crate::api::events::{Events, Kind};

const SECRET_TYPE: &str = "kubernetes.io/tls";
/// How long the API server keeps a watch open, in seconds.
const WATCH_SECONDS: u32 = 45;
/// How long to wait before watching again what could not be watched.
const PAUSE: Duration = Duration::from_secs(5);

/// The names of the server's own objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The namespace; that of the kubeconfig or of the pod if none is given.
    pub namespace: Option<String>,
    /// The Service by which API servers reach the server.
    pub service: String,
    /// The Secret of its certificates.
    pub secret: String,
    /// The mutating and the validating webhook configuration, which have one name.
    pub configurations: String,
    /// The validating webhook configuration of early warnings; none without them.
    pub early_warnings: Option<String>,
    /// The pod in which the server runs, on which its events stand.
    pub pod: Option<String>,
    /// The pod's uid.
    pub pod_uid: Option<String>,
}

/// Why an own object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else wrote it in the meantime.
    #[error("the {0} was written by another replica meanwhile")]
    Conflict(String),
    /// The API server refused, or could not be reached.
    #[error("failed to {what}: {why}{remedy}")]
    Refused {
        /// What was attempted on which object.
        what: String,
        /// Why it failed.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
}

/// The content of the Secret.
pub type Data = BTreeMap<String, Vec<u8>>;

/// The Secret as it was read.
#[derive(Clone)]
pub struct Stored {
    /// What it holds.
    pub data: Data,
    /// The time of [`ROTATE_BEFORE`], as it stands there.
    pub rotate_before: Option<String>,
    version: String,
}

/// The server's own objects in a cluster.
#[derive(Clone)]
pub struct OwnObjects {
    names: Names,
    namespace: String,
    secrets: Api<Secret>,
    mutating: Api<MutatingWebhookConfiguration>,
    validating: Api<ValidatingWebhookConfiguration>,
    /// Whether it was told that the configuration of early warnings could not be written.
    told: Arc<AtomicBool>,
    events: Events,
}

impl OwnObjects {
    /// Names them; nothing is read yet.
    #[must_use]
    pub fn new(client: &Client, names: Names) -> Self {
        let namespace =
            names.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
        let about = match &names.pod {
            Some(pod) => ObjectReference {
                kind: Some("Pod".to_owned()),
                name: Some(pod.clone()),
                uid: names.pod_uid.clone(),
                ..ObjectReference::default()
            },
            None => ObjectReference {
                kind: Some("Secret".to_owned()),
                name: Some(names.secret.clone()),
                ..ObjectReference::default()
            },
        };
        Self {
            events: Events::new(client, &namespace, about),
            secrets: Api::namespaced(client.clone(), &namespace),
            mutating: Api::all(client.clone()),
            validating: Api::all(client.clone()),
            told: Arc::default(),
            namespace,
            names,
        }
    }

    /// The names under which API servers reach the server, the one they use first.
    #[must_use]
    pub fn service_names(&self) -> Vec<String> {
        let (service, namespace) = (&self.names.service, &self.namespace);
        ["svc", "svc.cluster.local"]
            .map(|suffix| format!("{service}.{namespace}.{suffix}"))
            .into_iter()
            .chain([format!("{service}.{namespace}"), service.clone()])
            .collect()
    }

    /// Reads the Secret; none if there is none.
    pub async fn secret(&self) -> Result<Option<Stored>, Error> {
        let found = self.secrets.get_opt(&self.names.secret).await;
        Ok(found.map_err(|error| refused("read", &self.secret_name(), &error))?.map(stored))
    }

    /// Writes the Secret in place of the one that was read, or creates it.
    pub async fn write_secret(
        &self,
        data: &Data,
        instead_of: Option<&Stored>,
    ) -> Result<Stored, Error> {
        let encoded: BTreeMap<&str, ByteString> =
            data.iter().map(|(key, value)| (key.as_str(), ByteString(value.clone()))).collect();
        let random = RandomState::new().hash_one(&self.names.secret);
        let (version, kind, params) = match instead_of {
            Some(stored) => {
                (Some(&stored.version), None, PatchParams::apply(SERVER_FIELD_MANAGER).force())
            }
            // Of several that create it at the same moment the first wins: the others, which are
            // other managers, conflict with it.
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
                "name": self.names.secret,
                "namespace": self.namespace,
                "labels": {"app.kubernetes.io/name": "gmsa-webhook"},
                "resourceVersion": version,
            },
            "type": kind,
            "data": encoded,
        });
        drop_nulls(&mut object);
        match self.secrets.patch(&self.names.secret, &params, &Patch::Apply(&object)).await {
            Ok(secret) => Ok(stored(secret)),
            Err(kube::Error::Api(status)) if status.code == 409 => {
                Err(Error::Conflict(self.secret_name()))
            }
            Err(error) => Err(refused("write", &self.secret_name(), &error)),
        }
    }

    /// Makes the webhook configurations that exist trust this bundle of CAs, in PEM. Returns whether
    /// something had to be changed.
    pub async fn publish(&self, bundle: &str) -> Result<bool, Error> {
        let name = &self.names.configurations;
        let mutating = self.publish_to(&self.mutating, name, bundle).await?;
        let validating = self.publish_to(&self.validating, name, bundle).await?;
        let warnings = self.publish_early_warnings(bundle).await;
        Ok(mutating || validating || warnings)
    }

    async fn publish_to<K: Configuration>(
        &self,
        api: &Api<K>,
        name: &str,
        bundle: &str,
    ) -> Result<bool, Error> {
        let object = format!("{} {name}", K::kind(&()));
        let written = publish(api, name, bundle).await?;
        let (reason, had) = match written {
            Written::Nothing => return Ok(false),
            Written::First => ("CaBundleWritten", "none"),
            Written::Replaced => ("CaBundleReplaced", "another"),
        };
        tracing::info!(object, had, "wrote the CA bundle");
        let message = format!("wrote the CA bundle of {object}, which had {had}");
        self.events.tell(Kind::Normal, reason, &message);
        Ok(true)
    }

    /// Writes an event about what was done here.
    pub fn tell(&self, kind: Kind, reason: &'static str, message: &str) {
        self.events.tell(kind, reason, message);
    }

    /// What only warns must not keep the rest from working: a failure is told, once.
    async fn publish_early_warnings(&self, bundle: &str) -> bool {
        let Some(name) = &self.names.early_warnings else { return false };
        match self.publish_to(&self.validating, name, bundle).await {
            Ok(changed) => {
                self.told.store(false, Ordering::Relaxed);
                changed
            }
            Err(Error::Conflict(_)) => true,
            Err(error) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "there are no early warnings");
                }
                false
            }
        }
    }

    /// Tells of every change of the own objects, and of every doubt whether there was one, for as
    /// long as it is polled.
    pub async fn watch(&self, changed: Arc<Notify>) {
        let mut tasks = JoinSet::new();
        let (secret, configuration) =
            (self.names.secret.clone(), self.names.configurations.clone());
        tasks.spawn(watch(self.secrets.clone(), secret, Arc::clone(&changed)));
        tasks.spawn(watch(self.mutating.clone(), configuration.clone(), Arc::clone(&changed)));
        if let Some(name) = self.names.early_warnings.clone() {
            tasks.spawn(watch(self.validating.clone(), name, Arc::clone(&changed)));
        }
        tasks.spawn(watch(self.validating.clone(), configuration, changed));
        while tasks.join_next().await.is_some() {}
    }

    /// The Secret as messages name it.
    #[must_use]
    pub fn secret_name(&self) -> String {
        format!("Secret {}/{}", self.namespace, self.names.secret)
    }
}

fn refused(verb: &str, object: &str, error: &kube::Error) -> Error {
    let forbidden = matches!(error, kube::Error::Api(status) if status.code == 403);
    Error::Refused {
        what: format!("{verb} the {object}"),
        why: why(error),
        remedy: if forbidden {
            "; grant the server's service account this right, or give it a certificate in \
                 files (--tls-cert and --tls-key)"
        } else {
            ""
        },
    }
}

fn stored(secret: Secret) -> Stored {
    Stored {
        version: secret.resource_version().unwrap_or_default(),
        rotate_before: secret.annotations().get(ROTATE_BEFORE).cloned(),
        data: secret
            .data
            .unwrap_or_default()
            .into_iter()
            .map(|(key, ByteString(value))| (key, value))
            .collect(),
    }
}

/// Leaves out what has no value.
fn drop_nulls(value: &mut serde_json::Value) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
        object.values_mut().for_each(drop_nulls);
    }
}

/// A kind of webhook configuration.
trait Configuration:
    Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static
{
    /// The name and the CA bundle of each webhook.
    fn bundles(&self) -> Vec<(&str, Option<&[u8]>)>;
}

impl Configuration for MutatingWebhookConfiguration {
    fn bundles(&self) -> Vec<(&str, Option<&[u8]>)> {
        self.webhooks
            .iter()
            .flatten()
            .map(|hook| (&*hook.name, hook.client_config.ca_bundle.as_ref().map(|pem| &*pem.0)))
            .collect()
    }
}

impl Configuration for ValidatingWebhookConfiguration {
    fn bundles(&self) -> Vec<(&str, Option<&[u8]>)> {
        self.webhooks
            .iter()
            .flatten()
            .map(|hook| (&*hook.name, hook.client_config.ca_bundle.as_ref().map(|pem| &*pem.0)))
            .collect()
    }
}

/// What was done to a configuration.
enum Written {
    Nothing,
    /// It had no bundle.
    First,
    /// It had another one.
    Replaced,
}

/// Makes one webhook configuration, if it exists, trust this bundle of CAs as the server does for
/// its own: whoever applies the rest of the configuration leaves it alone. Returns whether something
/// had to be changed.
pub async fn trust(client: &Client, kind: &str, name: &str, bundle: &str) -> Result<bool, Error> {
    let written = if kind == MutatingWebhookConfiguration::kind(&()) {
        publish::<MutatingWebhookConfiguration>(&Api::all(client.clone()), name, bundle).await?
    } else {
        publish::<ValidatingWebhookConfiguration>(&Api::all(client.clone()), name, bundle).await?
    };
    Ok(!matches!(written, Written::Nothing))
}

async fn publish<K: Configuration>(
    api: &Api<K>,
    name: &str,
    bundle: &str,
) -> Result<Written, Error> {
    let object = format!("{} {name}", K::kind(&()));
    let found = api.get_opt(name).await.map_err(|error| refused("read", &object, &error))?;
    let Some(found) = found else { return Ok(Written::Nothing) };
    let encoded = ByteString(bundle.as_bytes().to_vec());
    let had_another = found.bundles().iter().any(|(_, is)| is.is_some_and(|is| !is.is_empty()));
    let stale: Vec<_> = found
        .bundles()
        .into_iter()
        .filter(|(_, is)| *is != Some(bundle.as_bytes()))
        .map(|(name, _)| json!({"name": name, "clientConfig": {"caBundle": encoded}}))
        .collect();
    if stale.is_empty() {
        return Ok(Written::Nothing);
    }
    let patch = json!({
        "metadata": {"resourceVersion": found.resource_version()},
        "webhooks": stale,
    });
    let params =
        PatchParams { field_manager: Some(SERVER_FIELD_MANAGER.to_owned()), ..Default::default() };
    match api.patch(name, &params, &Patch::Strategic(&patch)).await {
        Ok(_) if had_another => Ok(Written::Replaced),
        Ok(_) => Ok(Written::First),
        Err(kube::Error::Api(status)) if status.code == 409 => Err(Error::Conflict(object)),
        Err(error) => Err(refused("write the CA bundle of", &object, &error)),
    }
}

/// Tells of every change of the one object of this name, and of every doubt whether there was one.
pub(crate) async fn watch<K>(api: Api<K>, name: String, changed: Arc<Notify>)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let params =
        WatchParams::default().fields(&format!("metadata.name={name}")).timeout(WATCH_SECONDS);
    loop {
        if let Ok(events) = api.watch(&params, "0").await {
            pin_mut!(events);
            while let Some(Ok(_)) = events.next().await {
                changed.notify_one();
            }
        } else {
            tokio::time::sleep(PAUSE).await;
        }
        changed.notify_one();
    }
}
