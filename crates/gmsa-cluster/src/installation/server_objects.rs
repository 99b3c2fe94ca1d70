//! The server's own objects: the Secret of its certificates and its webhook configurations.
//!
//! They are read and written by name only, which is all that the server's role grants.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::api::{Api, DynamicObject};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::ca_bundle::{self, Written};
use super::certificate_secret::{CertificateSecret, with_remedy};
use crate::api::Error;
use crate::api::events::{Events, Kind};
use crate::api::objects;
use crate::api::objects::kinds::{MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS};
use crate::api::watch::watch;

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
    /// Further validating webhook configurations, which block nothing: that of early warnings, and that
    /// of the index of credential specs.
    pub further: Vec<String>,
    /// The server's own pod, the object of its events.
    pub pod: Option<String>,
    /// The pod's uid.
    pub pod_uid: Option<String>,
}

/// The webhook configurations of one kind.
#[derive(Clone)]
struct Configurations {
    api: Api<DynamicObject>,
    kind: &'static str,
}

impl Configurations {
    fn new(client: &Client, kind: objects::Kind) -> Self {
        Self { api: Api::all_with(client.clone(), &kind.resource()), kind: kind.kind }
    }
}

/// The server's own objects in a cluster.
#[derive(Clone)]
pub struct ServerObjects {
    names: Names,
    namespace: String,
    secret: CertificateSecret,
    mutating: Configurations,
    validating: Configurations,
    /// Whether the log already says that a further configuration cannot be written.
    told: Arc<AtomicBool>,
    events: Events,
}

impl ServerObjects {
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
            secret: CertificateSecret::new(client, &namespace, &names.secret),
            mutating: Configurations::new(client, MUTATING_WEBHOOKS),
            validating: Configurations::new(client, VALIDATING_WEBHOOKS),
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

    /// Makes the webhook configurations that exist trust this bundle of CAs, in PEM. Returns whether
    /// something had to be changed.
    pub async fn publish(&self, bundle: &str) -> Result<bool, Error> {
        let name = &self.names.configurations;
        let mutating = self.publish_to(&self.mutating, name, bundle).await?;
        let validating = self.publish_to(&self.validating, name, bundle).await?;
        let mut further = false;
        for name in &self.names.further {
            further |= self.publish_further(name, bundle).await;
        }
        Ok(mutating || validating || further)
    }

    /// The bundles of CAs, in PEM, that the webhook configurations trust. Those that the server may not
    /// read are left out.
    pub async fn trusted(&self) -> Result<Vec<String>, Error> {
        let name = &self.names.configurations;
        let own = [(&self.mutating, name), (&self.validating, name)];
        let further = self.names.further.iter().map(|name| (&self.validating, name));
        let mut found = Vec::new();
        for (configurations, name) in own.into_iter().chain(further) {
            match ca_bundle::trusted(&configurations.api, configurations.kind, name).await {
                Ok(bundles) => found.extend(bundles),
                Err(error) if error.is_forbidden() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn publish_to(
        &self,
        configurations: &Configurations,
        name: &str,
        bundle: &str,
    ) -> Result<bool, Error> {
        let written = ca_bundle::publish(&configurations.api, configurations.kind, name, bundle)
            .await
            .map_err(with_remedy)?;
        let (reason, had) = match written {
            Written::Nothing => return Ok(false),
            Written::First => ("CaBundleWritten", "none"),
            Written::Replaced => ("CaBundleReplaced", "another"),
        };
        let object = format!("{} {name}", configurations.kind);
        tracing::info!(object, had, "wrote the CA bundle");
        let message = format!("wrote the CA bundle of {object}, which had {had}");
        self.events.tell(Kind::Normal, reason, &message);
        Ok(true)
    }

    /// Writes an event about a change.
    pub fn tell(&self, kind: Kind, reason: &'static str, message: &str) {
        self.events.tell(kind, reason, message);
    }

    /// A failure here only costs warnings, or some milliseconds, so it is logged once and stops nothing
    /// else.
    async fn publish_further(&self, name: &str, bundle: &str) -> bool {
        match self.publish_to(&self.validating, name, bundle).await {
            Ok(changed) => {
                self.told.store(false, Ordering::Relaxed);
                changed
            }
            Err(error) if error.is_conflict() => true,
            Err(error) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, name, "a configuration could not be written: it is not in force");
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
        tasks.spawn(watch(self.secret.api.clone(), secret, Arc::clone(&changed)));
        tasks.spawn(watch(self.mutating.api.clone(), configuration.clone(), Arc::clone(&changed)));
        for name in self.names.further.clone() {
            tasks.spawn(watch(self.validating.api.clone(), name, Arc::clone(&changed)));
        }
        tasks.spawn(watch(self.validating.api.clone(), configuration, changed));
        while tasks.join_next().await.is_some() {}
    }

    /// The Secret of the certificates.
    #[must_use]
    pub fn secret(&self) -> &CertificateSecret {
        &self.secret
    }
}
