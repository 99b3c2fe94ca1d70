//! Bringing up a server and then its webhook configurations, in an order in which no pod is refused
//! because of it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::{Duration, Instant};

use gmsa_cluster::api::apply::{Applier, Change, shown};
use gmsa_cluster::api::objects::{Objects, kinds};
use gmsa_cluster::api::value::{array, labels, name};
use gmsa_cluster::installation::edits::{Edit, differences};
use gmsa_cluster::installation::identify::sends_no_pods;
use gmsa_cluster::installation::{self, Options};
use gmsa_core::names::{AKS_ENFORCER, FIELD_MANAGER, PROBE_LABEL};
use gmsa_core::printable::counted;
use gmsa_core::rbac::LabelSelector;
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
    /// How long API servers have to pick up policies, in seconds.
    pub settle: u64,
    /// The namespace in which the webhooks are tried, if not in one of those whose pods are sent.
    pub place: Option<&'a str>,
    /// The CA bundle for API servers, unless the server writes it itself.
    pub trust: Option<&'a Trust<'a>>,
    /// What was applied.
    pub done: Done,
}

/// What an installation has applied, for when it stops before its end.
#[derive(Default)]
pub struct Done(RefCell<Vec<String>>);

impl Done {
    /// Applies an object and prints what became of it. The error says what was done before.
    pub async fn apply(&self, applier: &Applier, object: &Value) -> Result<Change, Failure> {
        let change = applier.apply(object).await.map_err(|error| self.unfinished(&error))?;
        printer::data(&changes(object, &change, ""))?;
        self.0.borrow_mut().push(shown(object));
        Ok(change)
    }

    fn unfinished(&self, error: &impl Display) -> Failure {
        let done = self.0.borrow();
        let (last, before) = (done.last(), done.len().saturating_sub(1));
        let done = match (last, before) {
            (None, _) => "nothing was changed".to_owned(),
            (Some(last), 0) => format!("{last} is as it is to be, and nothing else was changed"),
            (Some(last), before) => format!(
                "{last} and the {} printed before it are as they are to be, and nothing else was changed",
                counted(before, "object")
            ),
        };
        Failure::Cluster(format!(
            "{error}; the installation is not finished: {done}. Fix the cause, then run the same command \
             again: it goes on from there"
        ))
    }
}

impl Stage<'_> {
    /// The deadline of a step that begins now.
    pub fn end(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.wait)
    }

    /// Applies everything; what decides on pods only once a replica runs and answers.
    pub async fn apply(
        &self,
        options: &Options,
        objects: &installation::Objects,
    ) -> Result<(), Failure> {
        self.server_and_webhooks(options, objects).await?;
        // They refuse what the webhooks did not see, or what was not expanded, so these come first.
        let (mutating, validating): (Vec<&Value>, Vec<&Value>) =
            objects.policies.iter().partition(|object| is_policy(object, "Mutating"));
        let mut is_new = false;
        for object in mutating {
            is_new |= self.apply_one(object).await? != Change::Unchanged;
        }
        if is_new {
            printer::note(&format!(
                "waiting {} s, so that every API server expands pods before one refuses those that \
                 are not (--settle)",
                self.settle
            ));
            tokio::time::sleep(Duration::from_secs(self.settle)).await;
        }
        for object in validating {
            self.apply_one(object).await?;
        }
        Ok(())
    }

    /// The server, and the webhooks once it answers.
    pub async fn server_and_webhooks(
        &self,
        options: &Options,
        objects: &installation::Objects,
    ) -> Result<(), Failure> {
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
        Box::pin(wait::available(self.client, &options.namespace, end)).await?;
        // What blocks nothing is configured once the others answer.
        let (guards, others): (Vec<&Value>, Vec<&Value>) =
            objects.webhooks.iter().partition(|object| !sends_no_pods(object));
        let known = bundle.as_ref().map(|(trust, bundle)| (*trust, bundle.as_str()));
        let fresh = self.try_out(&guards, options, known, end).await?;
        for object in guards.into_iter().chain(others) {
            if fresh.contains(&object) {
                self.applier.apply_over(object).await?;
                printer::data(&changes(object, &Change::Created, ""))?;
            } else {
                self.apply_one(object).await?;
            }
        }
        if let Some((trust, bundle)) = known {
            trust.set(&objects.webhooks, bundle, end).await?;
        }
        Ok(())
    }

    /// Waits so long that every API server has noticed what is new, before what decided until now ends.
    pub async fn settle(&self) {
        printer::note(&format!(
            "waiting {} s, so that every API server has noticed before what decided until now is deleted \
             (--settle)",
            self.settle
        ));
        tokio::time::sleep(Duration::from_secs(self.settle)).await;
    }

    /// Fails if what the webhooks are sent is not what these configurations say: another field manager
    /// may have changed them, or hold a field that an apply leaves alone.
    pub async fn unedited(&self, webhooks: &[Value]) -> Result<(), Failure> {
        let mut edits = Vec::new();
        let mut skipped = BTreeSet::new();
        let reader = Objects::new(self.client.clone(), FIELD_MANAGER, false);
        for wanted in webhooks {
            let live = self.applier.live(wanted).await?.unwrap_or_default();
            let found = differences(wanted, &live);
            if found.iter().any(Edit::selects_namespaces) {
                let namespaces = reader.list(kinds::NAMESPACE, None).await?;
                skipped.extend(only_sent_by(wanted, &live, &namespaces));
            }
            edits.extend(found);
        }
        if edits.is_empty() {
            return Ok(());
        }
        let mut lines: Vec<String> =
            edits.iter().map(|edit| format!("{}: {edit}", edit.configuration)).collect();
        if !skipped.is_empty() {
            let names: Vec<&str> = skipped.iter().map(String::as_str).collect();
            lines.push(format!("pods in these namespaces are not checked: {}", names.join(", ")));
        }
        Err(Failure::Missing(format!(
            "the webhooks are not sent what install configured:\n  {}\nLet the field manager leave \
             these configurations alone, then run the same command again with --force-conflicts. \
             The Admissions Enforcer of AKS does by the annotation {AKS_ENFORCER}, which install sets",
            lines.join("\n  ")
        )))
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
            self.applier.apply_over(&only_probes(object, self.place)).await?;
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

    async fn apply_one(&self, object: &Value) -> Result<Change, Failure> {
        self.done.apply(self.applier, object).await
    }
}

/// The namespaces that the wanted configuration is sent, and the live one is not.
fn only_sent_by(wanted: &Value, live: &Value, namespaces: &[Value]) -> BTreeSet<String> {
    let sends = |configuration: &Value, namespace: &Value| {
        array(configuration, "/webhooks").any(|hook| {
            LabelSelector::read(hook.get("namespaceSelector"))
                .matches(&labels(namespace, "/metadata/labels"))
        })
    };
    let only = namespaces.iter().filter(|one| sends(wanted, one) && !sends(live, one));
    only.map(|one| name(one).to_owned()).collect()
}

/// Whether it is an admission policy of this type, or its binding.
pub fn is_policy(object: &Value, mutating: &str) -> bool {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    kind.strip_prefix(mutating).is_some_and(|rest| rest.starts_with("AdmissionPolicy"))
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
