//! Which namespaces' pods are sent to a GMSA webhook.

use std::collections::{BTreeMap, BTreeSet};

use gmsa_core::finding::Code;
use gmsa_core::rbac::LabelSelector;
use serde::Deserialize as _;
use serde_json::Value;

use super::{Error, Finding, Object, Scope, read};
use crate::install::NAME;
use crate::objects::{Objects, kinds};

const KIND: &str = "ValidatingWebhookConfiguration";
/// How many names a message lists.
const SHOWN: usize = 10;

/// What is known of the webhooks' reach.
#[derive(Default)]
pub(super) struct Reach {
    /// The configurations that send pods; none if there are none.
    configurations: Vec<String>,
    /// Whether the configurations and namespaces could be read.
    is_known: bool,
    /// Namespaces whose pods are not sent, with what uses a GMSA there.
    excluded: BTreeMap<String, Users>,
    /// Namespaces that an installation excludes itself.
    expected: BTreeSet<String>,
}

#[derive(Default)]
struct Users {
    count: usize,
    names: Vec<String>,
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
            let why = "; which namespaces are excluded from the webhook is not known";
            unread.extend(hidden.into_iter().map(|one| format!("{one}{why}")));
            return Ok(Self::default());
        };
        let mut reach = Self { is_known: true, ..Self::default() };
        reach.expected.insert("kube-system".to_owned());
        let mut selectors = Vec::new();
        for configuration in &configurations {
            let name = read::name(configuration);
            let hooks = configuration.get("webhooks").and_then(Value::as_array);
            let before = selectors.len();
            for hook in hooks.into_iter().flatten().filter(|hook| takes_pods(&name, hook)) {
                let of = hook.pointer("/clientConfig/service/namespace").and_then(Value::as_str);
                reach.expected.extend(of.map(str::to_owned));
                let selector = hook.get("namespaceSelector").unwrap_or(&Value::Null);
                selectors.push(LabelSelector::deserialize(selector).unwrap_or_default());
            }
            if selectors.len() > before {
                reach.configurations.push(name);
            }
        }
        if let Some(sent) = &scope.sent {
            selectors = vec![sent.clone()];
        }
        let namespace = scope.namespace.as_deref();
        for one in namespaces.iter().filter(|one| namespace.is_none_or(|of| of == read::name(one)))
        {
            let labels = one.pointer("/metadata/labels").unwrap_or(&Value::Null);
            let labels = BTreeMap::<String, String>::deserialize(labels).unwrap_or_default();
            if !selectors.is_empty() && !selectors.iter().any(|one| one.matches(&labels)) {
                reach.excluded.insert(read::name(one), Users::default());
            }
        }
        Ok(reach)
    }

    /// Notes a user of a GMSA; true if its namespace is excluded.
    pub(super) fn saw(&mut self, namespace: &str, user: &str) -> bool {
        let Some(users) = self.excluded.get_mut(namespace) else { return false };
        users.count += 1;
        if users.names.len() < SHOWN {
            users.names.push(user.to_owned());
        }
        true
    }

    pub(super) fn findings(&self, found: &mut Vec<Finding>) {
        if !self.is_known {
            return;
        }
        let Some(configuration) = self.configurations.first() else {
            let message = "no configuration sends pods to a GMSA webhook".to_owned();
            found.push(Finding::new(&Object::cluster(KIND, NAME), Code::WebhookMissing, message));
            return;
        };
        let mut idle = Vec::new();
        for (namespace, users) in &self.excluded {
            if users.count > 0 {
                let message = format!(
                    "its pods are not sent to the webhook, and {} of its pods and workloads use a \
                     GMSA",
                    users.count
                );
                found.push(
                    Finding::new(
                        &Object::cluster("Namespace", namespace),
                        Code::GmsaInExcludedNamespace,
                        message,
                    )
                    .with_evidence(listed(&users.names, users.count)),
                );
            } else if !self.expected.contains(namespace) {
                idle.push(namespace.clone());
            }
        }
        if !idle.is_empty() {
            let message = format!("the pods of {} namespaces are not sent", idle.len());
            let count = idle.len();
            idle.truncate(SHOWN);
            found.push(
                Finding::new(
                    &Object::cluster(KIND, configuration),
                    Code::NamespacesExcluded,
                    message,
                )
                .with_evidence(listed(&idle, count)),
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

/// Whether the hook is a GMSA webhook's that is asked before a pod is created.
fn takes_pods(configuration: &str, hook: &Value) -> bool {
    let text = |pointer: &str| hook.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let is_gmsa = [configuration, text("/name"), text("/clientConfig/service/name")]
        .into_iter()
        .any(|name| name.contains("gmsa"));
    let rules = hook.get("rules").and_then(Value::as_array);
    is_gmsa
        && rules.into_iter().flatten().any(|rule| {
            let has = |key: &str, wanted: &[&str]| {
                let values = rule.get(key).and_then(Value::as_array);
                values
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .any(|value| wanted.contains(&value))
            };
            has("apiGroups", &["", "*"])
                && has("resources", &["pods", "*", "*/*"])
                && has("operations", &["CREATE", "*"])
        })
}
