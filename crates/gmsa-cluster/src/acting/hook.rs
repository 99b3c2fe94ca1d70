//! One webhook that is asked before a pod is created.

use gmsa_core::rbac::LabelSelector;
use serde_json::Value;

use crate::api::value;
use crate::installation::MATCH_CONDITION;
use crate::installation::edits::foreign;
use crate::installation::identify::is_gmsa_webhook;

/// A webhook of a validating configuration, and which pods it receives.
pub(crate) struct Hook {
    /// The configuration.
    pub(crate) configuration: String,
    /// The name within it.
    name: String,
    /// The namespace of its Service.
    pub(crate) served_in: Option<String>,
    /// The namespaces whose pods are sent.
    pub(crate) namespaces: LabelSelector,
    /// The pods that are sent.
    pub(crate) objects: LabelSelector,
    /// Whether pods are selected by their labels at all.
    pub(crate) selects_objects: bool,
    /// Selectors of namespaces that another field manager set, if the configuration is ours.
    pub(crate) edited: Vec<String>,
    /// The names of foreign match conditions, which are not evaluated.
    conditions: Vec<String>,
}

impl Hook {
    /// The GMSA webhooks of a configuration that are asked before a pod is created.
    pub(crate) fn all(configuration: &Value) -> impl Iterator<Item = Self> {
        value::array(configuration, "/webhooks")
            .filter(|hook| is_gmsa_webhook(configuration, hook) && takes_pods(hook))
            .map(|hook| {
                let name = value::text(hook, "/name");
                let edits = foreign(configuration).into_iter();
                let edits = edits.filter(|edit| edit.selects_namespaces() && edit.webhook == name);
                let edited = edits.map(|edit| edit.to_string()).collect();
                Self { edited, ..Self::new(value::name(configuration), hook) }
            })
    }

    fn new(configuration: &str, hook: &Value) -> Self {
        let text = |pointer: &str| hook.pointer(pointer).and_then(Value::as_str);
        let selector = |key: &str| LabelSelector::read(hook.get(key));
        let objects = selector("objectSelector");
        let conditions = hook.get("matchConditions").and_then(Value::as_array);
        let foreign = |one: &&Value| {
            one.get("expression").and_then(Value::as_str).map(str::trim) != Some(MATCH_CONDITION)
        };
        let name = |one: &Value| one.get("name").and_then(Value::as_str).unwrap_or("?").to_owned();
        Self {
            configuration: configuration.to_owned(),
            name: text("/name").unwrap_or_default().to_owned(),
            served_in: text("/clientConfig/service/namespace").map(str::to_owned),
            namespaces: selector("namespaceSelector"),
            selects_objects: !(objects.match_labels.is_empty()
                && objects.match_expressions.is_empty()),
            objects,
            edited: Vec::new(),
            conditions: conditions.into_iter().flatten().filter(foreign).map(name).collect(),
        }
    }

    /// From now on these namespaces' pods are sent, all of them.
    pub(crate) fn choose(&mut self, namespaces: &LabelSelector) {
        self.namespaces = namespaces.clone();
        self.objects = LabelSelector::default();
        self.selects_objects = false;
        self.conditions.clear();
        self.edited.clear();
    }

    /// The webhook as people name it.
    pub(crate) fn label(&self) -> String {
        format!("{} ({})", self.configuration, self.name)
    }

    /// Whether it may skip pods of the namespaces that it selects.
    pub(crate) fn is_leaky(&self) -> bool {
        self.selects_objects || !self.conditions.is_empty()
    }

    /// By what.
    pub(crate) fn leaks(&self) -> impl Iterator<Item = String> {
        let selector =
            self.selects_objects.then(|| format!("objectSelector of webhook {}", self.name));
        let conditions = self.conditions.iter().map(|condition| {
            format!("matchCondition \"{condition}\" of webhook {}, not judged", self.name)
        });
        selector.into_iter().chain(conditions)
    }
}

/// Whether the hook is asked before a pod is created.
fn takes_pods(hook: &Value) -> bool {
    value::array(hook, "/rules").any(|rule| {
        let has = |key: &str, wanted: &[&str]| {
            value::array(rule, key).filter_map(Value::as_str).any(|value| wanted.contains(&value))
        };
        has("/apiGroups", &["", "*"])
            && has("/resources", &["pods", "*", "*/*"])
            && has("/operations", &["CREATE", "*"])
    })
}
