//! Whether a pod can only be scheduled on Windows nodes, for those who see the nodes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::text;
use crate::rbac::Requirement;

/// The label of a node's operating system.
const OS: &str = "kubernetes.io/os";

/// Whether the pod's node selector and its required node affinity match one of these nodes at least,
/// and only nodes that run Windows. A pod that selects nothing matches all. `spec` is the pod's, the
/// nodes are whole objects.
#[must_use]
pub fn selects_windows_nodes_only(spec: &Value, nodes: &[Value]) -> bool {
    let mut matching = nodes.iter().filter(|node| matches(spec, node)).peekable();
    matching.peek().is_some() && matching.all(is_windows)
}

/// Whether a node runs Windows.
fn is_windows(node: &Value) -> bool {
    labels(node).get(OS).map(String::as_str) == Some("windows")
        || node.pointer("/status/nodeInfo/operatingSystem").and_then(Value::as_str)
            == Some("windows")
}

fn labels(node: &Value) -> BTreeMap<String, String> {
    let labels = node.pointer("/metadata/labels");
    labels.and_then(|labels| BTreeMap::deserialize(labels).ok()).unwrap_or_default()
}

fn matches(spec: &Value, node: &Value) -> bool {
    let labels = labels(node);
    let wanted = spec.get("nodeSelector").and_then(Value::as_object);
    let by_selector = wanted
        .into_iter()
        .flatten()
        .all(|(key, value)| labels.get(key).map(String::as_str) == value.as_str());
    by_selector
        && terms(spec).is_none_or(|terms| {
            let name = node.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            let fields = BTreeMap::from([("metadata.name".to_owned(), name.to_owned())]);
            terms.iter().any(|term| {
                let of = |key: &str| term.get(key).and_then(Value::as_array);
                let met = |key: &str, labels: &BTreeMap<String, String>| {
                    of(key).into_iter().flatten().all(|one| is_met(one, labels))
                };
                // A term without a requirement matches nothing.
                let says = ["matchExpressions", "matchFields"]
                    .iter()
                    .any(|key| of(key).is_some_and(|list| !list.is_empty()));
                says && met("matchExpressions", &labels) && met("matchFields", &fields)
            })
        })
}

/// The terms of the required node affinity, of which a node must meet one.
pub(super) fn terms(spec: &Value) -> Option<&Vec<Value>> {
    spec.pointer(
        "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms",
    )?
    .as_array()
}

fn is_met(requirement: &Value, labels: &BTreeMap<String, String>) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    let compare = |holds: fn(i64, i64) -> bool| {
        let bound = requirement.pointer("/values/0").and_then(Value::as_str).and_then(number);
        let label = labels.get(text(requirement, "key")).and_then(|label| number(label));
        label.zip(bound).is_some_and(|(label, bound)| holds(label, bound))
    };
    match text(requirement, "operator") {
        "Gt" => compare(|label, bound| label > bound),
        "Lt" => compare(|label, bound| label < bound),
        _ => Requirement::deserialize(requirement).is_ok_and(|one| one.is_met_by(labels)),
    }
}
