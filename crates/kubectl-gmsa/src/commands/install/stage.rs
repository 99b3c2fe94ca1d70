//! Bringing up a server and then its webhook configurations, in an order in which no pod is refused
//! because of it.

use std::time::{Duration, Instant};

use gmsa_cluster::api::apply::{Applier, Change};
use gmsa_cluster::installation::{Objects, Options};
use gmsa_core::names::{EARLY_WARNINGS, PROBE_LABEL};
use kube::Client;
use serde_json::{Value, json};

use super::trust::Trust;
use super::wait;
use crate::failure::Failure;
use crate::installation::{probe, token};
use crate::output::printer;
use crate::output::render::changes;

/// How an installation is brought up.
pub struct Stage<'a> {
    pub client: &'a Client,
    pub applier: &'a Applier,
    /// How long to wait for each step, in seconds.
    pub wait: u64,
    /// The namespace in which the webhooks are tried, if not in one of those whose pods are sent.
    pub place: Option<&'a str>,
    /// The CA bundle for API servers, unless the server writes it itself.
    pub trust: Option<&'a Trust<'a>>,
}

impl Stage<'_> {
    /// The deadline of a step that begins now.
    pub fn end(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.wait)
    }

    /// Applies everything; the configurations only once a replica runs and answers.
    pub async fn apply(&self, options: &Options, objects: &Objects) -> Result<(), Failure> {
        let end = self.end();
        let server = objects.base.iter().position(is_server).unwrap_or(objects.base.len());
        let (before, after) = objects.base.split_at(server);
        for object in before {
            self.apply_one(object).await?;
        }
        let bundle = match self.trust {
            Some(trust) => {
                let bundle = trust.find(&objects.webhooks, end).await?;
                // While old and new replicas answer both are trusted.
                trust.add(&objects.webhooks, &bundle, end).await?;
                Some((trust, bundle))
            }
            None => None,
        };
        for object in after {
            self.apply_one(object).await?;
        }
        token::renew(self.client, &options.namespace).await?;
        wait::available(self.client, &options.namespace, end).await?;
        // Early warnings block nothing, and are configured once the others answer.
        let is_guard =
            |object: &&Value| object.pointer("/metadata/name") != Some(&json!(EARLY_WARNINGS));
        let (guards, others): (Vec<&Value>, Vec<&Value>) =
            objects.webhooks.iter().partition(is_guard);
        let known = bundle.as_ref().map(|(trust, bundle)| (*trust, bundle.as_str()));
        let fresh = self.try_out(&guards, options, known, end).await?;
        for object in guards.into_iter().chain(others) {
            if fresh.contains(&object) {
                self.applier.apply(object).await?;
                printer::data(&changes(object, &Change::Created, ""))?;
            } else {
                self.apply_one(object).await?;
            }
        }
        if let Some((trust, bundle)) = known {
            trust.set(&objects.webhooks, bundle, end).await?;
        }
        // They refuse what the webhooks did not see, so these come first.
        for object in &objects.policies {
            self.apply_one(object).await?;
        }
        Ok(())
    }

    /// New configurations at first match only our own probe: if that fails, no other pod was ever
    /// blocked. Returns the new configurations.
    async fn try_out<'a>(
        &self,
        guards: &[&'a Value],
        options: &Options,
        trust: Option<(&Trust<'_>, &str)>,
        end: Instant,
    ) -> Result<Vec<&'a Value>, Failure> {
        let mut fresh = Vec::new();
        for object in guards {
            let live = self.applier.live(object).await?;
            if live.is_none_or(|live| is_for_probes(&live)) {
                fresh.push(*object);
            }
        }
        if fresh.is_empty() {
            return Ok(fresh);
        }
        for object in &fresh {
            self.applier.apply(&only_probes(object, self.place)).await?;
        }
        let Err(failure) = self.answers(&fresh, options, trust, end).await else {
            return Ok(fresh);
        };
        for object in fresh {
            self.applier.delete(object).await?;
        }
        printer::note("the webhook configurations were removed again: no pod is blocked");
        Err(failure)
    }

    async fn answers(
        &self,
        fresh: &[&Value],
        options: &Options,
        trust: Option<(&Trust<'_>, &str)>,
        end: Instant,
    ) -> Result<(), Failure> {
        if let Some((trust, bundle)) = trust {
            trust.set(fresh.iter().copied(), bundle, end).await?;
        }
        match self.place {
            Some(place) => probe::answered_in(self.client, place, end).await,
            None => probe::answered(self.client, options, end).await.map(drop),
        }
    }

    async fn apply_one(&self, object: &Value) -> Result<(), Failure> {
        let change = self.applier.apply(object).await?;
        printer::data(&changes(object, &change, ""))
    }
}

fn is_server(object: &Value) -> bool {
    object.get("kind") == Some(&json!("Deployment"))
}

/// The same configuration for pods that carry the label of our probe only, and only in the
/// namespaces that do, if it is tried in one of these.
fn only_probes(object: &Value, place: Option<&str>) -> Value {
    let mut object = object.clone();
    let probes = json!({"matchLabels": {PROBE_LABEL: "true"}});
    let webhooks = object.get_mut("webhooks").and_then(Value::as_array_mut);
    for webhook in webhooks.into_iter().flatten().filter_map(Value::as_object_mut) {
        webhook.insert("objectSelector".to_owned(), probes.clone());
        if place.is_some() {
            webhook.insert("namespaceSelector".to_owned(), probes.clone());
        }
    }
    object
}

/// Whether an earlier install was interrupted while the configuration was sent probes only.
fn is_for_probes(live: &Value) -> bool {
    let selector = live.pointer("/webhooks/0/objectSelector/matchLabels");
    selector.is_some_and(|labels| labels.get(PROBE_LABEL).is_some())
}
