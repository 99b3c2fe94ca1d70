//! The TLS settings of an OpenShift cluster: those of its API servers, which every component is to use.

use std::sync::Arc;
use std::time::Duration;

use gmsa_cluster::api::objects::{Kind, Objects, Reference};
use gmsa_cluster::installation::tls::{MinVersion, Settings};
use gmsa_core::names::SERVER_FIELD_MANAGER;
use kube::Client;

use crate::serve::tls::{Tls, not_offered};

/// `APIServer` of `config.openshift.io/v1`, of which there is one, named `cluster`.
const KIND: Kind = Kind {
    group: "config.openshift.io",
    version: "v1",
    kind: "APIServer",
    plural: "apiservers",
    namespaced: false,
};
/// How often the object is read: handshakes follow a change within this time.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long the start waits for the first answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What makes TLS follow the cluster's profile.
pub struct Follower {
    objects: Objects,
    tls: Arc<Tls>,
    /// The last answer, so that only changes are logged and applied.
    last: Option<Result<(Settings, Vec<String>), String>>,
}

impl Follower {
    /// Follows the profile of this cluster.
    #[must_use]
    pub fn new(client: Client, tls: Arc<Tls>) -> Self {
        Self { objects: Objects::new(client, SERVER_FIELD_MANAGER, false), tls, last: None }
    }

    /// Reads the profile once, so that the first handshake follows it if the cluster answers soon.
    pub async fn first(mut self) -> Self {
        if tokio::time::timeout(PATIENCE, self.read()).await.is_err() {
            tracing::warn!("the TLS profile of the cluster is not known yet: default TLS settings");
        }
        self
    }

    /// Follows it for as long as it is polled.
    pub async fn run(mut self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let found = match self.objects.get(&Reference::cluster(KIND, "cluster")).await {
            // Any other cluster than one of OpenShift.
            Ok(None) => Ok((Settings::default(), Vec::new())),
            Ok(Some(object)) => Ok(Settings::of_profile(&object)),
            Err(error) if error.code() == Some(404) => Ok((Settings::default(), Vec::new())),
            Err(error) => Err(error.to_string()),
        };
        if self.last.as_ref() == Some(&found) {
            return;
        }
        match &found {
            Ok((settings, unknown)) => self.follow(settings, unknown),
            Err(error) => tracing::warn!(
                error,
                "the TLS profile of the cluster cannot be read: the TLS settings stay as they are"
            ),
        }
        self.last = Some(found);
    }

    fn follow(&self, settings: &Settings, unknown: &[String]) {
        let unknown = unknown.iter().map(String::as_str);
        let names = unknown.chain(not_offered(settings)).collect::<Vec<_>>().join(", ");
        match self.tls.configure(settings) {
            Ok(()) => tracing::info!(
                min_version = settings.min_version.map(MinVersion::name),
                not_known = names,
                "TLS settings of the cluster's profile"
            ),
            Err(error) => tracing::warn!(
                error = %error,
                not_known = names,
                "the TLS profile of the cluster leaves nothing that this server can do: the TLS \
                 settings stay as they are"
            ),
        }
    }
}
