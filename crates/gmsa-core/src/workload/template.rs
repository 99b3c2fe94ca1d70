//! Where an object has its pod templates.

use serde_json::Value;

use super::{below, describes_fields, group, text};

/// How deep an object is looked into; manifests are read to a depth of 100.
const DEPTH: usize = 100;

/// A pod template within an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Template {
    /// The JSON pointer (RFC 6901) of what has the pod's `spec`, or `podSpec`; empty for a Pod.
    pub pointer: String,
    /// The JSON pointer of the pod's spec itself.
    pub spec: String,
    /// The JSON pointer of the object that makes the pods; empty unless that is one within another.
    pub owner: String,
    /// Whether it is at the place that a kind of Kubernetes itself has for it, in an object that is
    /// not within another.
    pub is_built_in: bool,
}

/// Every pod template of an object, in the order in which they are found: at the place that the
/// kind has for it, or below any path of a kind that is not Kubernetes' own.
#[must_use]
pub fn templates(object: &Value) -> Vec<Template> {
    let mut found = Vec::new();
    of_object(object, "", DEPTH, &mut found);
    found
}

/// The place that a kind of Kubernetes has for its pod template.
fn known(api_version: &str, kind: &str) -> Option<&'static str> {
    let of_kubernetes = ["", "apps", "batch", "extensions"].contains(&group(api_version));
    match kind {
        "Pod" if of_kubernetes => Some(""),
        "PodTemplate" if of_kubernetes => Some("/template"),
        "CronJob" if of_kubernetes => Some("/spec/jobTemplate/spec/template"),
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "Job"
        | "ReplicationController"
            if of_kubernetes =>
        {
            Some("/spec/template")
        }
        _ => None,
    }
}

/// Of something with `apiVersion` and `kind`.
fn of_object(object: &Value, owner: &str, depth: usize, found: &mut Vec<Template>) {
    let api_version = text(object, "apiVersion");
    if describes_fields(group(api_version)) {
        return;
    }
    if let Some(place) = known(api_version, text(object, "kind")) {
        let pointer = format!("{owner}{place}");
        let spec = format!("{pointer}/spec");
        found.push(Template {
            pointer,
            spec,
            owner: owner.to_owned(),
            is_built_in: owner.is_empty(),
        });
        return;
    }
    within(object, owner, owner, depth, found);
}

fn within(value: &Value, at: &str, owner: &str, depth: usize, found: &mut Vec<Template>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let child = |found: &mut Vec<Template>, pointer: String, child: &Value| {
        if is_object(child) {
            of_object(child, &pointer, depth, found);
        } else if child.get("spec").is_some_and(|spec| is_pod_spec(spec, &pointer, owner)) {
            let spec = format!("{pointer}/spec");
            found.push(Template { pointer, spec, owner: owner.to_owned(), is_built_in: false });
        } else {
            within(child, &pointer, owner, depth, found);
        }
    };
    match value {
        Value::Object(map) => {
            let is_own = |key: &str| at == owner && (key == "metadata" || key == "status");
            for (key, value) in map.iter().filter(|(key, _)| !is_own(key)) {
                // Some operators have the spec of their pods without a template around it.
                if key == "podSpec" && is_pod_spec(value, at, owner) {
                    found.push(Template {
                        pointer: at.to_owned(),
                        spec: below(at, key),
                        owner: owner.to_owned(),
                        is_built_in: false,
                    });
                } else {
                    let pointer = below(at, key);
                    child(&mut *found, pointer, value);
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                child(&mut *found, format!("{at}/{index}"), value);
            }
        }
        _ => {}
    }
}

/// Whether this is an object of its own within another.
fn is_object(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some_and(Value::is_string);
    has("apiVersion") && has("kind") && value.pointer("/metadata/name").is_some()
}

/// Whether this is the spec of pods: it has containers. At the usual place less is enough.
fn is_pod_spec(spec: &Value, template: &str, owner: &str) -> bool {
    let has = |key: &str| spec.get(key).is_some_and(Value::is_array);
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let is_usual = template.strip_prefix(owner) == Some("/spec/template");
    lists.iter().any(|list| has(list))
        || (is_usual && lists.iter().chain(&["securityContext"]).any(|key| spec.get(key).is_some()))
}
