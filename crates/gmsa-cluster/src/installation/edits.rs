//! What of a webhook configuration is not as its maker wrote it, and which field manager holds it; what of
//! an admission policy is not.
//!
//! A webhook or policy that is sent less than it should be fails silently: nothing is denied, pods are
//! admitted unchecked. Clusters have controllers that edit every configuration, such as the Admissions
//! Enforcer of AKS.

use std::collections::BTreeSet;
use std::fmt;

use gmsa_core::names::{FIELD_MANAGER, PART_OF};
use gmsa_core::printable::shortened;
use serde_json::{Map, Value};

use crate::api::value::{array, name, text};

/// The fields of a webhook that decide which requests it is sent, and what happens without an answer
/// (API reference, `ValidatingWebhook`). Each is a pointer and the name to show.
const FIELDS: [(&str, &str); 8] = [
    ("/rules", "rules"),
    ("/namespaceSelector", "namespaceSelector"),
    ("/objectSelector", "objectSelector"),
    ("/matchConditions", "matchConditions"),
    ("/failurePolicy", "failurePolicy"),
    ("/matchPolicy", "matchPolicy"),
    ("/reinvocationPolicy", "reinvocationPolicy"),
    ("/clientConfig/service", "clientConfig.service"),
];

/// One field of a webhook that another field manager holds, or that differs from what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The configuration, such as `ValidatingWebhookConfiguration gmsa-webhook`.
    pub configuration: String,
    /// The webhook's name.
    pub webhook: String,
    /// The field, such as `namespaceSelector`; empty if the webhook is missing.
    pub field: &'static str,
    /// The current value; null if there is none.
    pub value: Value,
    /// The field managers that hold it.
    pub managers: Vec<String>,
}

impl Edit {
    /// Whether it decides which namespaces are sent.
    #[must_use]
    pub fn selects_namespaces(&self) -> bool {
        self.field == "namespaceSelector"
    }

    /// Who set it: `the field manager "x"`, or nobody known.
    #[must_use]
    pub fn holder(&self) -> String {
        match self.managers.as_slice() {
            [] => "no field manager is recorded for it".to_owned(),
            [one] => format!("set by the field manager \"{one}\""),
            all => format!("set by the field managers \"{}\"", all.join("\", \"")),
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { webhook, field, value, .. } = self;
        match (field.is_empty(), value) {
            (true, _) => write!(out, "the webhook {webhook} is missing"),
            (_, Value::Null) => write!(out, "{field} of {webhook} is missing, {}", self.holder()),
            (_, value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                write!(out, "{field} of {webhook} is {}, {}", shortened(&text), self.holder())
            }
        }
    }
}

/// What of the live configuration is not as wanted, whichever manager wrote it. Webhooks that only the live
/// configuration has take nothing from ours.
#[must_use]
pub fn differences(wanted: &Value, live: &Value) -> Vec<Edit> {
    let configuration = format!("{} {}", text(wanted, "/kind"), name(wanted));
    let mut edits = Vec::new();
    for hook in array(wanted, "/webhooks") {
        let webhook = text(hook, "/name");
        let Some(found) = array(live, "/webhooks").find(|one| text(one, "/name") == webhook) else {
            edits.push(Edit {
                configuration: configuration.clone(),
                webhook: webhook.to_owned(),
                field: "",
                value: Value::Null,
                managers: Vec::new(),
            });
            continue;
        };
        for (pointer, field) in FIELDS {
            let (wanted, is) = (hook.pointer(pointer), found.pointer(pointer));
            // The API server fills in what is not given.
            let is_default = wanted.is_none() && field == "reinvocationPolicy";
            if !is_default && plain(wanted) != plain(is) {
                let holders = holders(live, webhook, pointer);
                let mut managers: BTreeSet<String> = holders.map(|(manager, _)| manager).collect();
                // Of a list it may hold its own part.
                if managers.len() > 1 {
                    managers.remove(FIELD_MANAGER);
                }
                edits.push(Edit {
                    configuration: configuration.clone(),
                    webhook: webhook.to_owned(),
                    field,
                    value: is.cloned().unwrap_or_default(),
                    managers: managers.into_iter().collect(),
                });
            }
        }
    }
    edits
}

/// The fields in which the spec of an admission policy, or of its binding, is not as wanted.
#[must_use]
pub fn changed_fields(wanted: &Value, live: &Value) -> Vec<String> {
    let spec = |object: &Value| object.get("spec").and_then(Value::as_object).cloned();
    let (wanted, live) = (spec(wanted).unwrap_or_default(), spec(live).unwrap_or_default());
    let keys: BTreeSet<&String> = wanted.keys().chain(live.keys()).collect();
    let differs = |key: &&String| match key.as_str() {
        // Others may add an action, such as Audit, and annotations of the audit log.
        "validationActions" => {
            !live.get(*key).is_some_and(|actions| array(actions, "").any(|one| one == "Deny"))
        }
        "auditAnnotations" => false,
        _ => plain(wanted.get(*key)) != plain(live.get(*key)),
    };
    keys.into_iter().filter(differs).cloned().collect()
}

/// What of one of our configurations is held by field managers that did not make it: those that do
/// not hold the label of our objects.
#[must_use]
pub fn foreign(live: &Value) -> Vec<Edit> {
    let label = ["f:metadata", "f:labels", &format!("f:{}", PART_OF.0)].map(str::to_owned);
    let makers: BTreeSet<String> = managers(live)
        .filter(|(_, fields)| below(fields, &label).is_some())
        .map(|(name, _)| name)
        .collect();
    if makers.is_empty() {
        return Vec::new();
    }
    let configuration = format!("{} {}", text(live, "/kind"), name(live));
    let mut edits = Vec::new();
    for hook in array(live, "/webhooks") {
        let webhook = text(hook, "/name");
        for (pointer, field) in FIELDS {
            // An empty selector leaves nothing out, whichever manager wrote it.
            if field.ends_with("Selector") && plain(hook.pointer(pointer)).is_none() {
                continue;
            }
            let holders: Vec<(String, BTreeSet<String>)> =
                holders(live, webhook, pointer).collect();
            let of_makers: BTreeSet<&String> = holders
                .iter()
                .filter(|(manager, _)| makers.contains(manager))
                .flat_map(|(_, held)| held)
                .collect();
            let is_foreign =
                |held: &BTreeSet<String>| held.iter().any(|one| !of_makers.contains(one));
            let managers: BTreeSet<String> = holders
                .iter()
                .filter(|(manager, held)| !makers.contains(manager) && is_foreign(held))
                .map(|(manager, _)| manager.clone())
                .collect();
            if !managers.is_empty() {
                edits.push(Edit {
                    configuration: configuration.clone(),
                    webhook: webhook.to_owned(),
                    field,
                    value: hook.pointer(pointer).cloned().unwrap_or_default(),
                    managers: managers.into_iter().collect(),
                });
            }
        }
    }
    edits
}

/// Each field manager with the set of its fields (`FieldsV1`).
fn managers(object: &Value) -> impl Iterator<Item = (String, &Value)> {
    array(object, "/metadata/managedFields")
        .filter_map(|one| Some((text(one, "/manager").to_owned(), one.get("fieldsV1")?)))
}

/// The managers that hold a field of a webhook or something below it, each with what it holds: the
/// paths below the field, or an empty one for the field as a whole.
fn holders<'a>(
    object: &'a Value,
    webhook: &str,
    pointer: &str,
) -> impl Iterator<Item = (String, BTreeSet<String>)> + use<'a> {
    let key = Value::Object(Map::from_iter([("name".to_owned(), Value::from(webhook))]));
    let mut path = vec!["f:webhooks".to_owned(), format!("k:{key}")];
    path.extend(pointer.split('/').skip(1).map(|part| format!("f:{part}")));
    managers(object).filter_map(move |(manager, fields)| {
        let mut held = BTreeSet::new();
        leaves(below(fields, &path)?, "", &mut held);
        Some((manager, held))
    })
}

fn leaves(fields: &Value, at: &str, found: &mut BTreeSet<String>) {
    let mut children = fields.as_object().into_iter().flatten().filter(|(key, _)| *key != ".");
    let Some(first) = children.next() else {
        found.insert(at.to_owned());
        return;
    };
    for (key, child) in std::iter::once(first).chain(children) {
        leaves(child, &format!("{at}/{key}"), found);
    }
}

fn below<'a>(fields: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(fields, |fields, key| fields.get(key))
}

/// The value without what means nothing: null, and empty lists and maps.
fn plain(value: Option<&Value>) -> Option<Value> {
    match value? {
        Value::Null => None,
        Value::Object(map) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), plain(Some(value))?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        // An empty group of a rule is the core group.
        Value::Array(items) if items.is_empty() => None,
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use gmsa_core::names;
    use serde_json::{Value, json};

    use super::{changed_fields, differences, foreign};
    use crate::installation::{self, Engine, Options, Version};

    const ENFORCER: &str = "admissionsenforcer";

    /// The key of the webhook in a set of fields.
    fn key() -> String {
        format!("k:{}", json!({"name": names::webhook("validate")}))
    }

    fn wanted(version: Version) -> Value {
        let objects = installation::objects(&Options::default(), version);
        let is = |object: &&Value| object["kind"] == "ValidatingWebhookConfiguration";
        objects.webhooks.iter().find(is).unwrap().clone()
    }

    /// The configuration as an API server would return it, with a manager for these fields.
    fn live(version: Version, change: &Value, manager: &str) -> Value {
        let mut live = wanted(version);
        let key = key();
        let of = |fields: &[&str]| {
            let fields = fields.iter().map(|field| (format!("f:{field}"), json!({})));
            json!({"f:webhooks": {&key: fields.collect::<serde_json::Map<_, _>>()}})
        };
        let changed: Vec<&str> = change.as_object().unwrap().keys().map(String::as_str).collect();
        let all = ["rules", "namespaceSelector", "objectSelector", "failurePolicy"];
        let kept: Vec<&str> = all.into_iter().filter(|one| !changed.contains(one)).collect();
        let mut own = of(&kept);
        own["f:metadata"] = json!({"f:labels": {"f:app.kubernetes.io/part-of": {}}});
        live["metadata"]["managedFields"] = json!([
            {"manager": "kubectl-gmsa", "fieldsV1": own},
            {"manager": manager, "fieldsV1": of(&changed)}]);
        let hook = live["webhooks"][0].as_object_mut().unwrap();
        hook.extend(change.as_object().unwrap().clone());
        hook.insert("matchPolicy".to_owned(), json!("Equivalent"));
        live
    }

    #[test]
    fn what_is_as_wanted_differs_in_nothing() {
        for version in [Version(1, 20), Version(1, 30)] {
            let live = live(version, &json!({}), "gmsa-webhook");
            assert_eq!(differences(&wanted(version), &live), []);
            assert_eq!(foreign(&live), []);
        }
    }

    #[test]
    fn every_narrowing_is_named_with_its_holder() {
        let version = Version(1, 30);
        let expressions =
            json!([{"key": "control-plane", "operator": "NotIn", "values": ["true"]}]);
        for (field, value) in [
            ("namespaceSelector", json!({"matchExpressions": expressions})),
            ("objectSelector", json!({"matchLabels": {"a": "b"}})),
            ("rules", json!([])),
            ("failurePolicy", json!("Ignore")),
            ("matchConditions", json!([{"name": "no", "expression": "false"}])),
        ] {
            let live = live(version, &json!({field: value}), ENFORCER);
            for edits in [differences(&wanted(version), &live), foreign(&live)] {
                let [edit] = edits.as_slice() else { panic!("{field}: {edits:?}") };
                assert_eq!(
                    (edit.field, edit.managers.as_slice()),
                    (field, &[ENFORCER.to_owned()][..])
                );
                let shown = edit.to_string();
                let of = format!("{field} of {} is ", names::webhook("validate"));
                assert!(shown.starts_with(&of) && shown.contains(ENFORCER), "{shown}");
            }
        }
    }

    /// Servers before 1.21 leave the selector itself with its first owner.
    #[test]
    fn what_is_within_a_selector_has_an_owner_of_its_own() {
        let version = Version(1, 20);
        let expressions =
            json!([{"key": "control-plane", "operator": "NotIn", "values": ["true"]}]);
        let mut live = live(
            version,
            &json!({"namespaceSelector": {"matchExpressions": expressions}}),
            ENFORCER,
        );
        let key = &key();
        let managed = &mut live["metadata"]["managedFields"];
        managed[0]["fieldsV1"]["f:webhooks"][key]["f:namespaceSelector"] = json!({".": {}});
        managed[1]["fieldsV1"]["f:webhooks"][key]["f:namespaceSelector"] =
            json!({"f:matchExpressions": {}});
        for edits in [differences(&wanted(version), &live), foreign(&live)] {
            assert_eq!(edits.len(), 1, "{edits:?}");
            assert_eq!(edits[0].managers, [ENFORCER]);
        }
    }

    #[test]
    fn one_more_condition_beside_ours_is_foreign() {
        let version = Version(1, 30);
        let mut live = live(version, &json!({}), "x");
        let condition = json!({"name": "more", "expression": "false"});
        live["webhooks"][0]["matchConditions"].as_array_mut().unwrap().push(condition);
        let key = &key();
        live["metadata"]["managedFields"][0]["fieldsV1"]["f:webhooks"][key]["f:matchConditions"] =
            json!({"k:{\"name\":\"uses-gmsa\"}": {}});
        live["metadata"]["managedFields"][1]["fieldsV1"] =
            json!({"f:webhooks": {key: {"f:matchConditions": {"k:{\"name\":\"more\"}": {}}}}});
        for edits in [differences(&wanted(version), &live), foreign(&live)] {
            assert_eq!(edits.len(), 1, "{edits:?}");
            assert!(edits[0].managers.contains(&"x".to_owned()), "{edits:?}");
        }
    }

    #[test]
    fn a_webhook_that_is_gone_and_one_without_managers_are_named() {
        let version = Version(1, 30);
        let wanted = wanted(version);
        let mut live = wanted.clone();
        live["webhooks"][0]["namespaceSelector"] = json!({"matchLabels": {"a": "b"}});
        let edits = differences(&wanted, &live);
        assert!(edits[0].to_string().ends_with("no field manager is recorded for it"), "{edits:?}");
        assert_eq!(foreign(&live), [], "nothing says who holds it");
        live["webhooks"] = json!([]);
        let edits = differences(&wanted, &live);
        assert_eq!(
            edits[0].to_string(),
            format!("the webhook {} is missing", names::webhook("validate"))
        );
    }

    #[test]
    fn a_policy_that_leaves_something_out_is_named_by_what_differs() {
        let options = Options { engine: Engine::Policy, ..Options::default() };
        let policies = installation::objects(&options, Version(1, 36)).policies;
        assert!(!policies.is_empty());
        for policy in policies {
            assert_eq!(changed_fields(&policy, &policy), [""; 0]);
            let binding = policy["kind"].as_str().unwrap().ends_with("Binding");
            let matched = if binding { "matchResources" } else { "matchConstraints" };
            let mut by_default = policy.clone();
            by_default["spec"][matched].as_object_mut().unwrap().remove("namespaceSelector");
            by_default["spec"]["auditAnnotations"] = json!([{"key": "a"}]);
            if by_default["spec"]["validationActions"].is_array() {
                by_default["spec"]["validationActions"] = json!(["Audit", "Deny"]);
            }
            assert_eq!(changed_fields(&policy, &by_default), [""; 0]);
            let labels = json!({"matchLabels": {"a": "b"}});
            let own = if binding { "policyName" } else { "failurePolicy" };
            let condition = json!([{"name": "no", "expression": "false"}]);
            for (pointer, key, value, field) in [
                (format!("/spec/{matched}"), "namespaceSelector", labels.clone(), matched),
                (format!("/spec/{matched}"), "objectSelector", labels, matched),
                (format!("/spec/{matched}"), "excludeResourceRules", json!([{}]), matched),
                ("/spec".to_owned(), own, json!("other"), own),
                // Also where install writes none.
                ("/spec".to_owned(), "matchConditions", condition, "matchConditions"),
            ] {
                let mut live = policy.clone();
                live.pointer_mut(&pointer).unwrap()[key] = value;
                assert_eq!(changed_fields(&policy, &live), [field], "{live}");
            }
        }
    }
}
