//! A set of roles and bindings, and what it lets service accounts do.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::model::{Binding, Role, Rule, Subject};

/// Why an RBAC object cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {kind} \"{name}\": {source}")]
pub struct Unreadable {
    kind: String,
    name: String,
    source: serde_json::Error,
}

/// One way by which a service account may use a credential spec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The binding, as `RoleBinding shop/web` or `ClusterRoleBinding admins`.
    pub binding: String,
    /// The role, as `ClusterRole web` or `Role shop/web`.
    pub role: String,
    /// The subject that matched, as `ServiceAccount shop/web` or `Group system:serviceaccounts`.
    pub subject: String,
    /// Whether the right comes by a wildcard: in verbs, groups or resources, or by naming no name.
    pub wildcard: bool,
    /// If the role is aggregated: the roles that allow it, as `ClusterRole web`.
    pub aggregated_from: Vec<String>,
}

/// What a role allows, and where it has that from.
struct Allowed {
    wildcard: bool,
    aggregated_from: Vec<String>,
}

/// A way, before it is put in words.
struct Way<'a> {
    namespace: Option<&'a str>,
    binding: &'a Binding,
    subject: &'a Subject,
    allowed: Allowed,
}

/// A set of roles and bindings. A later object replaces an earlier one of the same name.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    roles: BTreeMap<(String, String), Role>,
    cluster_roles: BTreeMap<String, Role>,
    pub(super) bindings: BTreeMap<String, BTreeMap<String, Binding>>,
    pub(super) cluster_bindings: BTreeMap<String, Binding>,
    /// Whether the objects already contain the rules of aggregated roles.
    as_stored: bool,
}

impl Policy {
    /// A set for objects read from a cluster. There a controller has filled in the rules of
    /// aggregated roles, and the API server judges by those, up to date or not. In a set made
    /// otherwise their rules are those of the roles that their selectors match.
    #[must_use]
    pub fn of_cluster() -> Self {
        Self { as_stored: true, ..Self::default() }
    }

    /// Adds an object of one of the four kinds; false if it is of another kind. A namespaced object
    /// without a namespace gets the given one.
    pub fn add(&mut self, object: &Value, default_namespace: &str) -> Result<bool, Unreadable> {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
        let api = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if !api.starts_with("rbac.authorization.k8s.io/") {
            return Ok(false);
        }
        let namespace = |own: &str| {
            if own.is_empty() { default_namespace.to_owned() } else { own.to_owned() }
        };
        match kind {
            "Role" => {
                let role: Role = read(kind, object)?;
                let namespace = namespace(&role.metadata.namespace);
                self.roles.insert((namespace, role.metadata.name.clone()), role);
            }
            "ClusterRole" => {
                let role: Role = read(kind, object)?;
                self.cluster_roles.insert(role.metadata.name.clone(), role);
            }
            "RoleBinding" => {
                let binding: Binding = read(kind, object)?;
                let namespace = namespace(&binding.metadata.namespace);
                let name = binding.metadata.name.clone();
                self.bindings.entry(namespace).or_default().insert(name, binding);
            }
            "ClusterRoleBinding" => {
                let binding: Binding = read(kind, object)?;
                self.cluster_bindings.insert(binding.metadata.name.clone(), binding);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the service account of the namespace may `use` the credential spec of this name.
    #[must_use]
    pub fn may_use(&self, namespace: &str, account: &str, name: &str) -> bool {
        self.ways(namespace, account, name).next().is_some()
    }

    /// Every way by which it may.
    #[must_use]
    pub fn grants(&self, namespace: &str, account: &str, name: &str) -> Vec<Grant> {
        self.ways(namespace, account, name)
            .map(|Way { namespace: of, binding, subject, allowed }| Grant {
                binding: binding_label(of, binding),
                role: match (binding.role_ref.kind.as_str(), of) {
                    ("Role", Some(namespace)) => {
                        format!("Role {namespace}/{}", binding.role_ref.name)
                    }
                    _ => format!("ClusterRole {}", binding.role_ref.name),
                },
                subject: match subject.kind.as_str() {
                    "ServiceAccount" => format!("ServiceAccount {namespace}/{}", subject.name),
                    kind => format!("{kind} {}", subject.name),
                },
                wildcard: allowed.wildcard,
                aggregated_from: allowed.aggregated_from,
            })
            .collect()
    }

    /// The service accounts that bindings name themselves, not by a group, as namespace and name.
    #[must_use]
    pub fn accounts(&self) -> BTreeSet<(&str, &str)> {
        let namespaced = self.bindings.iter().flat_map(|(namespace, bindings)| {
            bindings.values().map(move |binding| (namespace.as_str(), binding))
        });
        let cluster = self.cluster_bindings.values().map(|binding| ("", binding));
        namespaced
            .chain(cluster)
            .flat_map(|(of, binding)| {
                binding.subjects.iter().filter_map(move |subject| subject.account(of))
            })
            .collect()
    }

    /// The roles that name this credential spec among their `resourceNames`, or would if the case
    /// of its letters did not count: for hints.
    pub fn named(&self) -> impl Iterator<Item = (String, &str)> {
        let roles = self
            .roles
            .iter()
            .map(|((namespace, name), role)| (format!("Role {namespace}/{name}"), role));
        let cluster =
            self.cluster_roles.iter().map(|(name, role)| (format!("ClusterRole {name}"), role));
        roles.chain(cluster).flat_map(|(label, role)| {
            role.rules
                .iter()
                .flat_map(|rule| {
                    rule.resource_names
                        .iter()
                        .filter(|name| rule.allows(name).is_some())
                        .map(String::as_str)
                })
                .map(move |name| (label.clone(), name))
        })
    }

    /// The bindings whose role is not in the set, as `RoleBinding shop/web` and `ClusterRole web`.
    pub fn dangling(&self) -> impl Iterator<Item = (String, String)> {
        let namespaced = self.bindings.iter().flat_map(|(namespace, bindings)| {
            bindings.values().map(move |binding| (Some(namespace.as_str()), binding))
        });
        let cluster = self.cluster_bindings.values().map(|binding| (None, binding));
        namespaced.chain(cluster).filter_map(|(of, binding)| {
            let role = &binding.role_ref;
            if self.role(of, binding).is_some() {
                return None;
            }
            Some((binding_label(of, binding), format!("{} {}", role.kind, role.name)))
        })
    }

    fn ways<'a>(
        &'a self,
        namespace: &'a str,
        account: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = Way<'a>> {
        let namespaced = self
            .bindings
            .get(namespace)
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(move |binding| (Some(namespace), binding));
        let cluster = self.cluster_bindings.values().map(|binding| (None, binding));
        namespaced.chain(cluster).flat_map(move |(of, binding)| {
            let own = of.unwrap_or_default();
            let subjects =
                binding.subjects.iter().filter(move |one| one.is(own, namespace, account));
            subjects.filter_map(move |subject| {
                let allowed = self.allows(self.role(of, binding)?, name)?;
                Some(Way { namespace: of, binding, subject, allowed })
            })
        })
    }

    /// The role of a binding: a `ClusterRoleBinding` cannot name a `Role`.
    pub(super) fn role(&self, namespace: Option<&str>, binding: &Binding) -> Option<&Role> {
        match (binding.role_ref.kind.as_str(), namespace) {
            ("ClusterRole", _) => self.cluster_roles.get(&binding.role_ref.name),
            ("Role", Some(namespace)) => {
                self.roles.get(&(namespace.to_owned(), binding.role_ref.name.clone()))
            }
            _ => None,
        }
    }

    /// Whether a role allows the name, and if so whether only by a wildcard.
    fn allows(&self, role: &Role, name: &str) -> Option<Allowed> {
        let mut seen = BTreeSet::new();
        let mut rules = Vec::new();
        self.collect(role, &mut seen, &mut rules);
        let mut aggregated_from = BTreeSet::new();
        let mut ways = Vec::new();
        for (of, rule) in rules {
            let Some(wildcard) = rule.allows(name) else { continue };
            ways.push(wildcard);
            if role.aggregation_rule.is_some() {
                aggregated_from.insert(format!("ClusterRole {}", of.metadata.name));
            }
        }
        if self.as_stored {
            ways = role.rules.iter().filter_map(|rule| rule.allows(name)).collect();
        }
        (!ways.is_empty()).then(|| Allowed {
            wildcard: ways.iter().all(|wildcard| *wildcard),
            aggregated_from: aggregated_from.into_iter().collect(),
        })
    }

    /// The rules of a role. The controller overwrites the rules of an aggregated role with those
    /// of the roles that its selectors match, aggregated ones among them.
    fn collect<'a>(
        &'a self,
        role: &'a Role,
        seen: &mut BTreeSet<&'a str>,
        rules: &mut Vec<(&'a Role, &'a Rule)>,
    ) {
        let Some(aggregation) = &role.aggregation_rule else {
            rules.extend(role.rules.iter().map(|rule| (role, rule)));
            return;
        };
        if !seen.insert(&role.metadata.name) {
            return;
        }
        for other in self.cluster_roles.values() {
            let matches = aggregation
                .cluster_role_selectors
                .iter()
                .any(|selector| selector.matches(&other.metadata.labels));
            if matches && other.metadata.name != role.metadata.name {
                self.collect(other, seen, rules);
            }
        }
    }
}

pub(super) fn binding_label(namespace: Option<&str>, binding: &Binding) -> String {
    let name = &binding.metadata.name;
    match namespace {
        Some(namespace) => format!("RoleBinding {namespace}/{name}"),
        None => format!("ClusterRoleBinding {name}"),
    }
}

fn read<'de, T: Deserialize<'de>>(kind: &str, object: &'de Value) -> Result<T, Unreadable> {
    T::deserialize(object).map_err(|source| Unreadable {
        kind: kind.to_owned(),
        name: object
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        source,
    })
}
