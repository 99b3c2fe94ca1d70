//! Namespaces that opted out of windows-gmsa: they stay excluded until you opt them in.

use std::collections::{BTreeMap, BTreeSet};

use gmsa_cluster::api::value::{array, labels, text};
use gmsa_cluster::installation::{
    NamespaceRequirement, Options, Version, namespace_requirements, sent,
};
use gmsa_core::names::{AKS_ENFORCER_LABELS, NAME_LABEL, TAKEOVER};
use gmsa_core::rbac::LabelSelector;
use serde_json::Value;

use super::found::Found;

/// What the webhooks of the other installation ask of namespaces, as far as some namespace, other
/// than the servers' own, is excluded by it.
pub fn requirements(found: &Found, namespaces: &[Value], own: &str) -> Vec<NamespaceRequirement> {
    let mut kept: Vec<NamespaceRequirement> = Vec::new();
    let mut servers: BTreeSet<&str> = found.namespaces.iter().map(String::as_str).collect();
    servers.extend([own, TAKEOVER]);
    let validating =
        found.configurations.iter().filter(|one| text(one, "/kind").starts_with("Validating"));
    let mut selectors = validating.flat_map(|one| array(one, "/webhooks"));
    // If there are several, one may check what another skips.
    let (Some(webhook), None) = (selectors.next(), selectors.next()) else { return kept };
    let label =
        |(key, value)| NamespaceRequirement { key, operator: "In".to_owned(), values: vec![value] };
    let by_label = labels(webhook, "/namespaceSelector/matchLabels").into_iter().map(label);
    let by_expression = array(webhook, "/namespaceSelector/matchExpressions")
        .filter_map(|one| serde_json::from_value(one.clone()).ok());
    for requirement in by_label.chain(by_expression) {
        // What the enforcer added to the other installation is no choice of its users.
        if is_enforcers(&requirement) {
            continue;
        }
        let selector = sent(std::slice::from_ref(&requirement));
        let excludes = namespaces.iter().any(|namespace| {
            let of = labels(namespace, "/metadata/labels");
            !servers.contains(text(namespace, "/metadata/name")) && !selector.matches(&of)
        });
        // Opting in is asked of namespaces that are still to come as well.
        let is_opting_out = ["NotIn", "DoesNotExist"].contains(&&*requirement.operator);
        if (excludes || !is_opting_out) && !kept.contains(&requirement) {
            kept.push(requirement);
        }
    }
    kept
}

/// One line for each namespace that stays excluded, with the command that ends it.
pub fn told(options: &Options, version: Version, namespaces: &[Value]) -> Vec<String> {
    let requirements = namespace_requirements(options, version);
    let mut told = Vec::new();
    for namespace in namespaces {
        let name = text(namespace, "/metadata/name");
        // What install excludes itself cannot be ended.
        let is_our_own = [TAKEOVER, &options.namespace].contains(&name)
            || (name == "kube-system" && !version.filters());
        if is_our_own {
            continue;
        }
        let of = labels(namespace, "/metadata/labels");
        for requirement in &requirements {
            if !sent(std::slice::from_ref(requirement)).matches(&of) {
                told.push(format!(
                    "namespace/{name} stays excluded ({}); to end it: {}\n",
                    shown(requirement),
                    end(requirement, name)
                ));
            }
        }
    }
    told
}

/// Whether the Admissions Enforcer of AKS writes this requirement.
fn is_enforcers(requirement: &NamespaceRequirement) -> bool {
    requirement.operator == "NotIn"
        && AKS_ENFORCER_LABELS
            .iter()
            .any(|(key, value)| requirement.key == *key && requirement.values == [*value])
}

/// Labels that exclude a namespace from the other installation. None if its webhooks
/// select every namespace. By the labels of the Admissions Enforcer of AKS only if there are no others:
/// they may come to exclude the namespace from ours too.
pub fn unseen(found: &Found) -> Option<BTreeMap<String, String>> {
    unseen_by(found, false).or_else(|| unseen_by(found, true))
}

fn unseen_by(found: &Found, enforcer: bool) -> Option<BTreeMap<String, String>> {
    let is_enforcers = |label: &str| AKS_ENFORCER_LABELS.iter().any(|(key, _)| *key == label);
    let mut unseen: BTreeMap<String, String> = BTreeMap::new();
    for webhook in found.configurations.iter().flat_map(|one| array(one, "/webhooks")) {
        for one in array(webhook, "/namespaceSelector/matchExpressions") {
            let key = text(one, "/key");
            if text(one, "/operator") == "NotIn"
                && key != NAME_LABEL
                && (enforcer || !is_enforcers(key))
                && let Some(value) = array(one, "/values").next().and_then(Value::as_str)
            {
                unseen.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    let looks_at =
        |webhook: &Value| LabelSelector::read(webhook.get("namespaceSelector")).matches(&unseen);
    let mut webhooks = found.configurations.iter().flat_map(|one| array(one, "/webhooks"));
    (!webhooks.any(looks_at)).then_some(unseen)
}

fn shown(requirement: &NamespaceRequirement) -> String {
    let NamespaceRequirement { key, operator, values } = requirement;
    let values = values.join(", ");
    match operator.as_str() {
        "NotIn" => format!("{key}={values}"),
        "In" => format!("its {key} is not {values}"),
        "Exists" => format!("it has no {key}"),
        _ => format!("it has {key}"),
    }
}

fn end(requirement: &NamespaceRequirement, namespace: &str) -> String {
    let key = &requirement.key;
    match (requirement.operator.as_str(), requirement.values.first()) {
        ("In", Some(value)) => {
            format!("kubectl label namespace {namespace} --overwrite {key}={value}")
        }
        ("Exists", _) => format!("kubectl label namespace {namespace} {key}=true"),
        _ if key == NAME_LABEL => "kubectl gmsa upgrade --end-exclusions".to_owned(),
        _ => format!("kubectl label namespace {namespace} {key}-"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::found::Found;
    use super::{requirements, unseen};

    fn found(expressions: &Value) -> Found {
        Found {
            configurations: vec![json!({"kind": "ValidatingWebhookConfiguration", "webhooks":
                [{"namespaceSelector": {"matchExpressions": expressions}}]})],
            namespaces: ["gmsa".to_owned()].into(),
            ..Found::default()
        }
    }

    #[test]
    fn only_exclusions_of_the_other_webhook_are_kept() {
        let namespace =
            |name: &str, labels: Value| json!({"metadata": {"name": name, "labels": labels}});
        let found = found(&json!([
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["gmsa"]},
            {"key": "windows.k8s.io/disabled", "operator": "NotIn", "values": ["true"]},
            {"key": "other", "operator": "NotIn", "values": ["x"]},
            {"key": "env", "operator": "In", "values": ["prod"]},
        ]));
        let namespaces = [
            namespace("gmsa", json!({"kubernetes.io/metadata.name": "gmsa", "other": "x"})),
            namespace("shop", json!({"windows.k8s.io/disabled": "true", "env": "prod"})),
        ];
        let kept = requirements(&found, &namespaces, "gmsa-webhook");
        let keys: Vec<&str> = kept.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["windows.k8s.io/disabled", "env"]);
    }

    #[test]
    fn what_the_enforcer_of_aks_excludes_is_not_kept() {
        let enforcer = json!({"key": "control-plane", "operator": "NotIn", "values": ["true"]});
        let disabled =
            json!({"key": "windows.k8s.io/disabled", "operator": "NotIn", "values": ["true"]});
        let namespaces = [
            json!({"metadata": {"name": "infra", "labels": {"control-plane": "true"}}}),
            json!({"metadata": {"name": "old", "labels": {"windows.k8s.io/disabled": "true"}}}),
        ];
        let found = found(&json!([enforcer, disabled]));
        let kept = requirements(&found, &namespaces, "gmsa-webhook");
        let keys: Vec<&str> = kept.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["windows.k8s.io/disabled"]);
        assert_eq!(unseen(&found).unwrap().into_keys().collect::<Vec<_>>(), keys);
        let only = self::found(&json!([enforcer]));
        assert_eq!(unseen(&only).unwrap().into_keys().collect::<Vec<_>>(), ["control-plane"]);
    }

    #[test]
    fn a_namespace_that_is_not_seen_has_what_opts_out() {
        let labels = unseen(&found(&json!([
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["gmsa"]},
            {"key": "windows.k8s.io/disabled", "operator": "NotIn", "values": ["true"]},
        ])));
        let labels = labels.unwrap();
        assert_eq!(labels.len(), 1);
        assert_eq!(labels["windows.k8s.io/disabled"], "true");
        assert!(unseen(&found(&json!([]))).is_none());
    }
}
