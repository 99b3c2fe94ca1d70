//! Events (`v1`) that report what the server did to its own objects.
//!
//! They are in the server's namespace, on its pod if that is known, otherwise on the Secret of its
//! certificates. An event that cannot be written blocks nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gmsa_core::names::SERVER_FIELD_MANAGER;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, PostParams};

use super::answer;

/// How long a message may be (API reference, Event `v1`).
const LONGEST: usize = 1024;

/// The type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something happened as planned.
    Normal,
    /// Something needs attention.
    Warning,
}

/// Writes events about one object.
#[derive(Clone)]
pub struct Events {
    api: Api<Event>,
    about: ObjectReference,
    /// Whether the log already says that events cannot be written.
    told: Arc<AtomicBool>,
}

impl Events {
    /// Events about an object of this namespace.
    #[must_use]
    pub fn new(client: &Client, namespace: &str, about: ObjectReference) -> Self {
        let about = ObjectReference {
            api_version: Some("v1".to_owned()),
            namespace: Some(namespace.to_owned()),
            ..about
        };
        Self { api: Api::namespaced(client.clone(), namespace), about, told: Arc::default() }
    }

    /// Writes one, in the background. The reason is one word in camel case.
    pub fn tell(&self, kind: Kind, reason: &'static str, message: &str) {
        let event = self.event(kind, reason, message);
        let this = self.clone();
        tokio::spawn(async move {
            let params = PostParams::default();
            let written = answer("write", "an event", this.api.create(&params, &event)).await;
            let Err(error) = written else {
                this.told.store(false, Ordering::Relaxed);
                return;
            };
            if !this.told.swap(true, Ordering::Relaxed) {
                tracing::warn!(error = error.why(), reason, "failed to write an event");
            }
        });
    }

    fn event(&self, kind: Kind, reason: &'static str, message: &str) -> Event {
        let now = Some(Time(Timestamp::now()));
        let kind = match kind {
            Kind::Normal => "Normal",
            Kind::Warning => "Warning",
        };
        Event {
            metadata: ObjectMeta {
                generate_name: Some(format!("{SERVER_FIELD_MANAGER}-")),
                namespace: self.about.namespace.clone(),
                ..ObjectMeta::default()
            },
            involved_object: self.about.clone(),
            type_: Some(kind.to_owned()),
            reason: Some(reason.to_owned()),
            message: Some(message.chars().take(LONGEST).collect()),
            source: Some(EventSource {
                component: Some(SERVER_FIELD_MANAGER.to_owned()),
                host: None,
            }),
            reporting_component: Some(SERVER_FIELD_MANAGER.to_owned()),
            reporting_instance: self.about.name.clone(),
            first_timestamp: now.clone(),
            last_timestamp: now,
            count: Some(1),
            ..Event::default()
        }
    }
}
