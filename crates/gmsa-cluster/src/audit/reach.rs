//! Which pods are sent to a GMSA webhook, by the selectors of the real configurations, and which the
//! policies decide on.

use std::collections::{BTreeMap, BTreeSet};

use gmsa_core::finding::Code;
use gmsa_core::names::{ENGINE_CHECK, FIELD_MANAGER, NAME};
use gmsa_core::printable::{self, counted};
use kube::Client;
use serde_json::Value;

use super::{Error, Finding, Object, Scope, read};
use crate::acting::hook::Hook;
use crate::acting::{Acting, By, Fate, GUARDED, Labels, Policies};
use crate::api::objects::{Objects, kinds};
use crate::api::value;
use crate::installation::engine::name_of;

const KIND: &str = "ValidatingWebhookConfiguration";
/// How many names a message lists.
const SHOWN: usize = 10;

/// What it does where the webhook leaves a namespace out.
const REFUSED: &str = "the guard refuses each pod that uses a GMSA there";

/// What is known of the reach of the webhook and of the policies.
#[derive(Default)]
pub(super) struct Reach {
    /// The parts that act on pods.
    acting: Acting,
    /// Whether the configurations and namespaces could be read.
    is_known: bool,
    /// The audited namespaces, with the users of a GMSA in them.
    namespaces: BTreeMap<String, Namespace>,
    /// Namespaces that an installation excludes itself.
    expected: BTreeSet<String>,
    /// Whether the webhook sets random hostnames.
    makes_hostnames: bool,
}

struct Namespace {
    /// What becomes of its pods.
    fate: Fate,
    /// The webhooks that select its pods, as far as the namespace decides.
    taken_by: Vec<usize>,
    count: usize,
    users: Vec<String>,
}

impl Namespace {
    fn is_left_out(&self) -> bool {
        !matches!(self.fate, Fate::Checked | Fate::Unexpanded)
    }
}

/// Whether the pods of something are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// They are, or policies decide on them, as far as is known.
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
        // Whether pods are expanded is not known without them.
        let mutating = read::list(objects, kinds::MUTATING_WEBHOOKS, None, &mut Vec::new()).await?;
        let namespaces = read::list(objects, kinds::NAMESPACE, None, &mut hidden).await?;
        let policies = Acting::policies(objects, &mut hidden).await?;
        let why = "; which pods are not sent to the webhook is not known";
        let (Some(configurations), Some(namespaces)) = (configurations, namespaces) else {
            unread.extend(hidden.into_iter().map(|one| format!("{one}{why}")));
            return Ok(Self::default());
        };
        // The role of the audit has no right to the policies that no server goes with.
        let literal = name_of(ENGINE_CHECK, true);
        hidden.retain(|one| !one.contains(&literal));
        let why = "; what the guard or the policies refuse is not known";
        unread.extend(hidden.into_iter().map(|one| format!("{one}{why}")));
        let acting =
            Acting::of(configurations.iter().chain(mutating.iter().flatten()).chain(&policies));
        let mut reach = Self::new(acting, &namespaces, scope);
        reach.makes_hostnames = serve_hostnames(objects, &reach.acting.hooks).await;
        Ok(reach)
    }

    /// Whether pods get the credential specs that the policies have in them, whatever the cluster has.
    pub(super) fn decides_by_literals(&self) -> bool {
        self.acting.engine() == Some(Policies::Literals)
    }

    /// Whether policies decide on pods, and no webhook.
    pub(super) fn decides_by_policies(&self) -> bool {
        self.acting.engine().is_some()
    }

    /// The namespaces whose pods are checked and not expanded.
    pub(super) fn unexpanded(&self) -> impl Iterator<Item = &str> {
        let unexpanded = self.namespaces.iter().filter(|(_, one)| one.fate == Fate::Unexpanded);
        unexpanded.map(|(name, _)| name.as_str())
    }

    /// Whether the pods of workloads get random hostnames.
    pub(super) fn makes_hostnames(&self) -> bool {
        self.makes_hostnames
    }

    fn new(mut acting: Acting, namespaces: &[Value], scope: &Scope) -> Self {
        if let Some(sent) = &scope.sent {
            acting.choose(sent);
        }
        let only = scope.namespace.as_deref();
        let mut expected: BTreeSet<String> =
            acting.hooks.iter().filter_map(|hook| hook.served_in.clone()).collect();
        expected.insert("kube-system".to_owned());
        let names = |one: &&Value| only.is_none_or(|only| only == value::name(one));
        let namespaces = namespaces
            .iter()
            .filter(names)
            .map(|one| {
                let labels = value::labels(one, "/metadata/labels");
                let taken = acting.hooks.iter().enumerate();
                let taken = taken.filter(|(_, hook)| hook.namespaces.matches(&labels));
                let taken_by = taken.map(|(index, _)| index).collect();
                let fate = acting.fate_of(one);
                let users = Vec::new();
                (value::name(one).to_owned(), Namespace { fate, taken_by, count: 0, users })
            })
            .collect();
        Self { acting, is_known: true, namespaces, expected, makes_hostnames: false }
    }

    /// Notes a user of a GMSA, with the labels of its pods.
    pub(super) fn saw(&mut self, namespace: &str, user: &str, labels: &Labels) -> Sent {
        let Some(found) = self.namespaces.get_mut(namespace) else { return Sent::Yes };
        found.count += 1;
        if found.users.len() < SHOWN {
            found.users.push(user.to_owned());
        }
        if found.is_left_out() {
            return Sent::NotItsNamespace;
        }
        // A missing webhook is one finding, not one for each pod.
        if self.acting.hooks.is_empty() {
            return Sent::Yes;
        }
        let mut takers = found.taken_by.iter().filter_map(|index| self.acting.hooks.get(*index));
        if takers.any(|hook| hook.objects.matches(labels)) { Sent::Yes } else { Sent::NotItsLabels }
    }

    /// The finding for an object whose labels exclude it from the webhook.
    pub(super) fn not_sent(&self, object: &Object) -> Finding {
        let message = "its pods are not sent to the webhook because of their labels".to_owned();
        let hooks = self.acting.hooks.iter().filter(|hook| hook.selects_objects);
        let evidence = hooks.map(|hook| format!("objectSelector of {}", hook.label()));
        let evidence = evidence.chain(self.guard()).collect();
        Finding::new(object, Code::GmsaNotSent, message).with_evidence(evidence)
    }

    pub(super) fn findings(&self, found: &mut Vec<Finding>) {
        if !self.is_known {
            return;
        }
        if !self.acting.decides() {
            let message = "no configuration sends pods to a GMSA webhook".to_owned();
            found.push(
                Finding::new(&Object::cluster(KIND, NAME), Code::WebhookMissing, message)
                    .with_evidence(self.guard().collect()),
            );
        }
        let mut idle = Vec::new();
        for (name, namespace) in self.namespaces.iter().filter(|(_, one)| one.is_left_out()) {
            if namespace.count > 0 {
                let object = Object::cluster("Namespace", name);
                let code = Code::GmsaInExcludedNamespace;
                let evidence = listed(&namespace.users, namespace.count);
                found.push(
                    Finding::new(&object, code, left_out(namespace))
                        .with_evidence(with_guard(namespace.fate, evidence)),
                );
            } else if !self.expected.contains(name) {
                idle.push((name, namespace.fate));
            }
        }
        if let Some((_, fate)) = idle.first() {
            let shown: Vec<String> =
                idle.iter().take(SHOWN).map(|(name, _)| (*name).clone()).collect();
            found.push(
                Finding::new(&self.selector(), Code::NamespacesExcluded, left_out_idle(idle.len()))
                    .with_evidence(with_guard(*fate, listed(&shown, idle.len()))),
            );
        }
        self.leaky(found);
        self.edited(found);
    }

    /// The object that selects namespaces.
    fn selector(&self) -> Object {
        match (self.acting.hooks.first(), self.acting.engine()) {
            (Some(hook), _) => Object::cluster(KIND, &hook.configuration),
            (None, Some(by)) => {
                let name = name_of(ENGINE_CHECK, by == Policies::Literals);
                Object::cluster("ValidatingAdmissionPolicy", &name)
            }
            (None, None) => Object::cluster("ValidatingAdmissionPolicy", gmsa_core::names::GUARD),
        }
    }

    /// Our configurations in which another field manager chose the namespaces.
    fn edited(&self, found: &mut Vec<Finding>) {
        let unchecked = self.namespaces.iter().filter(|(_, one)| one.taken_by.is_empty());
        let unchecked: Vec<String> = unchecked.map(|(name, _)| name.clone()).collect();
        for hook in self.acting.hooks.iter().filter(|hook| !hook.edited.is_empty()) {
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
        self.acting.is_guarded().then(|| GUARDED.to_owned()).into_iter()
    }

    /// The configurations that skip pods in namespaces where no other receives them all.
    fn leaky(&self, found: &mut Vec<Finding>) {
        let mut leaky: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for namespace in self.namespaces.values() {
            let takers: Vec<&Hook> = namespace
                .taken_by
                .iter()
                .filter_map(|index| self.acting.hooks.get(*index))
                .collect();
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
                    .with_evidence(evidence.into_iter().chain(self.guard()).collect()),
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

/// What becomes of the pods of a namespace that is left out, and how many there are.
fn left_out(namespace: &Namespace) -> String {
    let who = match namespace.fate {
        Fate::Refused(By::Policies) => {
            "the policies leave it out and refuse each pod of it that uses a GMSA"
        }
        Fate::Refused(By::Guard) => {
            "the webhook leaves it out, and the guard refuses each pod of it that uses a GMSA"
        }
        _ => "its pods are not sent to the webhook",
    };
    format!("{who}; pods and workloads of it that use a GMSA: {}", namespace.count)
}

fn left_out_idle(count: usize) -> String {
    format!("the pods of {} are left out", counted(count, "namespace"))
}

/// Adds what the guard still does in a namespace that is left out.
fn with_guard(fate: Fate, mut evidence: Vec<String>) -> Vec<String> {
    let guard = match fate {
        Fate::Refused(By::Guard) => Some(REFUSED),
        Fate::NotSent { guarded: true, .. } => Some(GUARDED),
        Fate::Refused(By::Policies) | Fate::Checked | Fate::Unexpanded | Fate::NotSent { .. } => {
            None
        }
    };
    evidence.extend(guard.map(str::to_owned));
    evidence
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
