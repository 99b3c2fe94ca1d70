//! The RBAC objects, as far as they bear on the right to `use` a credential spec.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The API group, the resource and the verb of the right.
pub(super) const GROUP: &str = "windows.k8s.io";
pub(super) const RESOURCE: &str = "gmsacredentialspecs";
pub(super) const VERB: &str = "use";

/// A `Role` or `ClusterRole`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Role {
    /// Name, namespace and labels.
    #[serde(deserialize_with = "null_is_default")]
    pub metadata: Metadata,
    /// What it allows.
    #[serde(deserialize_with = "null_is_default")]
    pub rules: Vec<Rule>,
    /// Of a `ClusterRole`: the roles whose rules replace its own.
    pub aggregation_rule: Option<AggregationRule>,
}

/// A `RoleBinding` or `ClusterRoleBinding`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Binding {
    /// Name, namespace and labels.
    #[serde(deserialize_with = "null_is_default")]
    pub metadata: Metadata,
    /// Who gets the role.
    #[serde(deserialize_with = "null_is_default")]
    pub subjects: Vec<Subject>,
    /// Which role.
    #[serde(deserialize_with = "null_is_default")]
    pub role_ref: RoleRef,
}

/// The metadata of an RBAC object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The name.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// The namespace; empty where there is none.
    #[serde(deserialize_with = "null_is_default")]
    pub namespace: String,
    /// The labels.
    #[serde(deserialize_with = "null_is_default")]
    pub labels: BTreeMap<String, String>,
}

/// A policy rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// API groups; `*` is any.
    #[serde(deserialize_with = "null_is_default")]
    pub api_groups: Vec<String>,
    /// Resources; `*` is any.
    #[serde(deserialize_with = "null_is_default")]
    pub resources: Vec<String>,
    /// Verbs; `*` is any.
    #[serde(deserialize_with = "null_is_default")]
    pub verbs: Vec<String>,
    /// Names; none is any, and `*` is not a wildcard here.
    #[serde(deserialize_with = "null_is_default")]
    pub resource_names: Vec<String>,
}

/// A subject of a binding.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    #[serde(deserialize_with = "null_is_default")]
    pub kind: String,
    /// The name.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// The namespace of a service account; empty is the binding's.
    #[serde(deserialize_with = "null_is_default")]
    pub namespace: String,
}

/// The role of a binding.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RoleRef {
    /// `Role` or `ClusterRole`.
    #[serde(deserialize_with = "null_is_default")]
    pub kind: String,
    /// The name.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
}

/// The aggregation of a `ClusterRole`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AggregationRule {
    /// A role that matches any of these is aggregated.
    #[serde(deserialize_with = "null_is_default")]
    pub cluster_role_selectors: Vec<LabelSelector>,
}

/// A label selector; an empty one matches everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Labels with exactly these values.
    #[serde(deserialize_with = "null_is_default")]
    pub match_labels: BTreeMap<String, String>,
    /// Requirements on labels.
    #[serde(deserialize_with = "null_is_default")]
    pub match_expressions: Vec<Requirement>,
}

/// A requirement on a label.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Requirement {
    /// The label.
    #[serde(deserialize_with = "null_is_default")]
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[serde(deserialize_with = "null_is_default")]
    pub operator: String,
    /// The values of `In` and `NotIn`.
    #[serde(deserialize_with = "null_is_default")]
    pub values: Vec<String>,
}

impl Rule {
    /// Whether the rule allows to `use` this name, and if so whether by a wildcard of any kind.
    pub(super) fn allows(&self, name: &str) -> Option<bool> {
        let has = |list: &[String], wanted: &str| list.iter().any(|item| item == wanted);
        let either = |list: &[String], wanted: &str| {
            if has(list, wanted) { Some(false) } else { has(list, "*").then_some(true) }
        };
        let verb = either(&self.verbs, VERB)?;
        let group = either(&self.api_groups, GROUP)?;
        let resource = either(&self.resources, RESOURCE)?;
        let any_name = self.resource_names.is_empty();
        (any_name || has(&self.resource_names, name))
            .then_some(verb || group || resource || any_name)
    }
}

impl Subject {
    /// The service account that the subject names, as namespace and name; none if it is a group, a
    /// person, or a service account without a namespace.
    pub(super) fn account<'a>(&'a self, binding_namespace: &'a str) -> Option<(&'a str, &'a str)> {
        match self.kind.as_str() {
            "ServiceAccount" => {
                let own = if self.namespace.is_empty() {
                    binding_namespace
                } else {
                    self.namespace.as_str()
                };
                (!own.is_empty()).then_some((own, self.name.as_str()))
            }
            "User" => self.name.strip_prefix("system:serviceaccount:")?.split_once(':'),
            _ => None,
        }
    }

    /// Whether the subject is this service account, by its own name or by a group that it is in.
    pub(super) fn is(&self, binding_namespace: &str, namespace: &str, account: &str) -> bool {
        match self.kind.as_str() {
            "Group" => match self.name.strip_prefix("system:serviceaccounts") {
                Some("") => true,
                Some(rest) => rest.strip_prefix(':') == Some(namespace),
                None => false,
            },
            _ => self.account(binding_namespace) == Some((namespace, account)),
        }
    }
}

impl LabelSelector {
    /// Reads the selector of an object. An absent one selects everything, an unreadable one nothing.
    #[must_use]
    pub fn read(selector: Option<&Value>) -> Self {
        match selector {
            None | Some(Value::Null) => Self::default(),
            Some(selector) => Self::deserialize(selector).unwrap_or_else(|_| Self {
                match_expressions: vec![Requirement::default()],
                ..Self::default()
            }),
        }
    }

    /// Whether an object with these labels is selected. A requirement with an unknown operator
    /// selects nothing.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.is_met_by(labels))
    }
}

impl Requirement {
    /// Whether labels meet it.
    #[must_use]
    pub fn is_met_by(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.contains(value)),
            "NotIn" => value.is_none_or(|value| !self.values.contains(value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
