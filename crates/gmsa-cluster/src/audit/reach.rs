//! Which pods are sent to a GMSA webhook, by the selectors of the real configurations.

mod hook;

use std::collections::{BTreeMap, BTreeSet};

use gmsa_core::finding::Code;
use gmsa_core::names::{ENGINE_CHECK, FIELD_MANAGER, GUARD, NAME};
use gmsa_core::printable;
use kube::Client;
use serde_json::Value;

use super::{Error, Finding, Object, Scope, read};
use crate::api::objects::{Objects, Reference, kinds};
use crate::api::value;
use crate::installation::engine::name_of;
use crate::installation::guard_gaps;
use hook::Hook;

const KIND: &str = "ValidatingWebhookConfiguration";
/// How many names a message lists.
const SHOWN: usize = 10;

/// What the guard does where no webhook is asked.
const GUARDED: &str = "the guard refuses pods without the right, and those that were not expanded; \
    contents are not compared with the credential spec";

/// The labels of an object.
pub(super) type Labels = BTreeMap<String, String>;

/// What is known of the webhooks' reach.
#[derive(Default)]
pub(super) struct Reach {
    /// The webhooks that pods are sent to.
    hooks: Vec<Hook>,
    /// Whether the configurations and namespaces could be read.
    is_known: bool,
    /// The audited namespaces, with the users of a GMSA in them.
    namespaces: BTreeMap<String, Namespace>,
    /// Namespaces that an installation excludes itself.
    expected: BTreeSet<String>,
    /// Whether the webhook sets random hostnames.
    makes_hostnames: bool,
    /// Whether the API server itself asks for the right, whatever is sent.
    guarded: bool,
    /// Whether the API server itself decides on pods, so that none has to be sent, and how.
    decides: Option<Policies>,
}

/// What the policies of the engine decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policies {
    /// The index of the credential specs.
    Index,
    /// The credential specs that they have in them.
    Literals,
}

#[derive(Default)]
struct Namespace {
    /// The webhooks that select its pods, as far as the namespace decides.
    taken_by: Vec<usize>,
    count: usize,
    users: Vec<String>,
}

/// Whether the pods of something are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// They are, as far as is known.
    Yes,
    /// Its namespace is left out.
    NotItsNamespace,
    /// Its labels leave it out.
    NotItsLabels,
}

impl Reach {
    pub(super) async fn read(
        objects: &Objects,
        scope: &Scope,
        unread: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let mut hidden = Vec::new();
        let configurations =
            read::list(objects, kinds::VALIDATING_WEBHOOKS, None, &mut hidden).await?;
        let namespaces = read::list(objects, kinds::NAMESPACE, None, &mut hidden).await?;
        let (Some(configurations), Some(namespaces)) = (configurations, namespaces) else {
            let why = "; which pods are not sent to the webhook is not known";
            unread.extend(hidden.into_iter().map(|one| format!("{one}{why}")));
            return Ok(Self::default());
        };
        let mut reach = Self::new(&configurations, &namespaces, scope);
        reach.makes_hostnames = serve_hostnames(objects, &reach.hooks).await;
        reach.guarded = is_guarded(objects).await;
        if reach.hooks.is_empty() {
            reach.decides = policy_engine(objects).await;
        }
        Ok(reach)
    }

    /// Whether pods get the credential specs that the policies have in them, whatever the cluster has.
    pub(super) fn decides_by_literals(&self) -> bool {
        self.decides == Some(Policies::Literals)
    }

    /// Whether the pods of workloads get random hostnames.
    pub(super) fn makes_hostnames(&self) -> bool {
        self.makes_hostnames
    }

    fn new(configurations: &[Value], namespaces: &[Value], scope: &Scope) -> Self {
        let mut hooks: Vec<Hook> = configurations.iter().flat_map(Hook::all).collect();
        if let Some(sent) = &scope.sent {
            for hook in &mut hooks {
                hook.choose(sent);
            }
        }
        let only = scope.namespace.as_deref();
        let mut expected: BTreeSet<String> =
            hooks.iter().filter_map(|hook| hook.served_in.clone()).collect();
        expected.insert("kube-system".to_owned());
        let names = |one: &&Value| only.is_none_or(|only| only == value::name(one));
        let namespaces = namespaces
            .iter()
            .filter(names)
            .map(|one| {
                let labels = value::labels(one, "/metadata/labels");
                let taken = hooks.iter().enumerate();
                let taken = taken.filter(|(_, hook)| hook.namespaces.matches(&labels));
                let taken_by = taken.map(|(index, _)| index).collect();
                (value::name(one).to_owned(), Namespace { taken_by, ..Namespace::default() })
            })
            .collect();
        Self { hooks, is_known: true, namespaces, expected, ..Self::default() }
    }

    /// Notes a user of a GMSA, with the labels of its pods.
    pub(super) fn saw(&mut self, namespace: &str, user: &str, labels: &Labels) -> Sent {
        // A missing webhook is one finding, not one for each pod.
        if self.hooks.is_empty() {
            return Sent::Yes;
        }
        let Some(found) = self.namespaces.get_mut(namespace) else { return Sent::Yes };
        found.count += 1;
        if found.users.len() < SHOWN {
            found.users.push(user.to_owned());
        }
        if found.taken_by.is_empty() {
            return Sent::NotItsNamespace;
        }
        let mut takers = found.taken_by.iter().filter_map(|index| self.hooks.get(*index));
        if takers.any(|hook| hook.objects.matches(labels)) { Sent::Yes } else { Sent::NotItsLabels }
    }

    /// The finding for an object whose labels exclude it from the webhook.
    pub(super) fn not_sent(&self, object: &Object) -> Finding {
        let message = "its pods are not sent to the webhook because of their labels".to_owned();
        let hooks = self.hooks.iter().filter(|hook| hook.selects_objects);
        let evidence = hooks.map(|hook| format!("objectSelector of {}", hook.label()));
        let evidence = evidence.chain(self.guard()).collect();
        Finding::new(object, Code::GmsaNotSent, message).with_evidence(evidence)
    }

    pub(super) fn findings(&self, found: &mut Vec<Finding>) {
        if !self.is_known {
            return;
        }
        if self.decides.is_some() {
            return;
        }
        let Some(first) = self.hooks.first() else {
            let message = "no configuration sends pods to a GMSA webhook".to_owned();
            found.push(
                Finding::new(&Object::cluster(KIND, NAME), Code::WebhookMissing, message)
                    .with_evidence(self.guard().collect()),
            );
            return;
        };
        let mut idle = Vec::new();
        for (name, namespace) in &self.namespaces {
            if !namespace.taken_by.is_empty() {
                continue;
            }
            if namespace.count > 0 {
                let message = format!(
                    "its pods are not sent to the webhook, and {} of its pods and workloads use a \
                     GMSA",
                    namespace.count
                );
                found.push(
                    Finding::new(
                        &Object::cluster("Namespace", name),
                        Code::GmsaInExcludedNamespace,
                        message,
                    )
                    .with_evidence(self.and_guard(listed(&namespace.users, namespace.count))),
                );
            } else if !self.expected.contains(name) {
                idle.push(name.clone());
            }
        }
        if !idle.is_empty() {
            let message = format!("the pods of {} namespaces are not sent", idle.len());
            let count = idle.len();
            idle.truncate(SHOWN);
            found.push(
                Finding::new(
                    &Object::cluster(KIND, &first.configuration),
                    Code::NamespacesExcluded,
                    message,
                )
                .with_evidence(self.and_guard(listed(&idle, count))),
            );
        }
        self.leaky(found);
        self.edited(found);
    }

    /// Our configurations in which another field manager chose the namespaces.
    fn edited(&self, found: &mut Vec<Finding>) {
        let unchecked = self.namespaces.iter().filter(|(_, one)| one.taken_by.is_empty());
        let unchecked: Vec<String> = unchecked.map(|(name, _)| name.clone()).collect();
        for hook in self.hooks.iter().filter(|hook| !hook.edited.is_empty()) {
            let message = if unchecked.is_empty() {
                "another field manager set which namespaces are sent; none is left out now"
                    .to_owned()
            } else {
                format!(
                    "another field manager set which namespaces are sent, and the pods of these are \
                     not: {}",
                    printable::listed(&unchecked, SHOWN)
                )
            };
            let object = Object::cluster(KIND, &hook.configuration);
            found.push(
                Finding::new(&object, Code::WebhookMaySkipPods, message)
                    .with_evidence(hook.edited.clone()),
            );
        }
    }

    /// What the guard still does for pods that are not sent.
    fn guard(&self) -> impl Iterator<Item = String> {
        self.guarded.then(|| GUARDED.to_owned()).into_iter()
    }

    fn and_guard(&self, mut evidence: Vec<String>) -> Vec<String> {
        evidence.extend(self.guard());
        evidence
    }

    /// The configurations that skip pods in namespaces where no other receives them all.
    fn leaky(&self, found: &mut Vec<Finding>) {
        let mut leaky: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for namespace in self.namespaces.values() {
            let takers: Vec<&Hook> =
                namespace.taken_by.iter().filter_map(|index| self.hooks.get(*index)).collect();
            if takers.iter().any(|hook| !hook.is_leaky()) {
                continue;
            }
            for hook in takers {
                let evidence = leaky.entry(&hook.configuration).or_default();
                for line in hook.leaks() {
                    if !evidence.contains(&line) {
                        evidence.push(line);
                    }
                }
            }
        }
        for (configuration, evidence) in leaky {
            let message = "it may leave out pods that use a GMSA".to_owned();
            let object = Object::cluster(KIND, configuration);
            found.push(
                Finding::new(&object, Code::WebhookMaySkipPods, message)
                    .with_evidence(self.and_guard(evidence)),
            );
        }
    }
}

fn listed(names: &[String], count: usize) -> Vec<String> {
    let mut listed = names.to_vec();
    if count > names.len() {
        listed.push(format!("and {} more", count - names.len()));
    }
    listed
}

/// Whether the API server itself refuses pods without the right. False if the caller may not read the
/// policy, or the server knows none.
async fn is_guarded(objects: &Objects) -> bool {
    let [policy, binding] = policy(objects, GUARD).await;
    guard_gaps(policy.as_ref(), binding.as_ref()).is_empty()
}

/// What the policies of the engine decide by on the cluster's pods. None without them, or if the caller may
/// not read them.
pub async fn policy_engine(objects: &Objects) -> Option<Policies> {
    let denies = |binding: &Value| {
        value::array(binding, "/spec/validationActions").any(|action| action == "Deny")
    };
    for by in [Policies::Index, Policies::Literals] {
        let name = name_of(ENGINE_CHECK, by == Policies::Literals);
        let [policy, binding] = policy(objects, &name).await;
        if policy.is_some() && binding.as_ref().is_some_and(denies) {
            return Some(by);
        }
    }
    None
}

/// A policy and its binding, as far as they are there and may be read.
async fn policy(objects: &Objects, name: &str) -> [Option<Value>; 2] {
    let read = |kind| {
        let reference = Reference::cluster(kind, name);
        async move { objects.get(&reference).await.ok().flatten() }
    };
    [read(kinds::VALIDATING_POLICY).await, read(kinds::VALIDATING_POLICY_BINDING).await]
}

/// Whether the cluster's webhook gives pods random hostnames. False if the caller may not read the
/// configurations that show it.
pub async fn makes_random_hostnames(client: &Client) -> bool {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, true);
    let Ok(configurations) = objects.list(kinds::VALIDATING_WEBHOOKS, None).await else {
        return false;
    };
    let hooks: Vec<Hook> = configurations.iter().flat_map(Hook::all).collect();
    serve_hostnames(&objects, &hooks).await
}

/// Whether one of the Deployments in these webhooks' namespaces sets random hostnames. False if the
/// caller may not read them: then the finding about shared hostnames is reported.
async fn serve_hostnames(objects: &Objects, hooks: &[Hook]) -> bool {
    for namespace in hooks.iter().filter_map(|hook| hook.served_in.as_deref()) {
        let found = objects.list(kinds::DEPLOYMENT, Some(namespace)).await;
        if found.is_ok_and(|found| found.iter().any(makes_hostnames)) {
            return true;
        }
    }
    false
}

/// Whether a Deployment is of a webhook that makes hostnames: by an argument of this one, or by the
/// environment variable that the Go webhook has too.
#[must_use]
pub fn makes_hostnames(deployment: &Value) -> bool {
    let list = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let spec = deployment.pointer("/spec/template/spec").unwrap_or(&Value::Null);
    list(spec, "containers").iter().any(|container| {
        let by_argument = list(container, "args").iter().any(|argument| {
            matches!(argument.as_str(), Some("--random-hostname" | "--random-hostname=true"))
        });
        let by_variable = list(container, "env").iter().any(|variable| {
            let text = |key: &str| variable.get(key).and_then(Value::as_str).unwrap_or_default();
            text("name").ends_with("RANDOM_HOSTNAME") && text("value").eq_ignore_ascii_case("true")
        });
        by_argument || by_variable
    })
}

#[cfg(test)]
mod tests;
