//! The objects that grant a right, and the changes of existing ones.

use gmsa_core::grant::Grant;
pub use gmsa_core::grant::role_name as name;
use gmsa_core::names::FIELD_MANAGER;
use serde_json::{Value, json};

const API: &str = "rbac.authorization.k8s.io/v1";
const GROUP: &str = "rbac.authorization.k8s.io";
const OTHER: &str = "has other rules than the one that kubectl gmsa makes";
const LABEL: &str = "app.kubernetes.io/managed-by";

/// The cluster role that allows to use one credential spec and nothing else.
pub fn cluster_role(credential_spec: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "ClusterRole",
        "metadata": {"name": name(credential_spec), "labels": {LABEL: FIELD_MANAGER}},
        "rules": [rule(credential_spec)],
    })
}

/// The binding of that role in a namespace.
pub fn role_binding(credential_spec: &str, namespace: &str, accounts: &[&str]) -> Value {
    let subjects: Vec<Value> = accounts.iter().map(|account| subject(namespace, account)).collect();
    json!({
        "apiVersion": API,
        "kind": "RoleBinding",
        "metadata": {
            "name": name(credential_spec),
            "namespace": namespace,
            "labels": {LABEL: FIELD_MANAGER},
        },
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name(credential_spec)},
        "subjects": subjects,
    })
}

fn rule(credential_spec: &str) -> Value {
    json!({
        "apiGroups": ["windows.k8s.io"],
        "resources": ["gmsacredentialspecs"],
        "resourceNames": [credential_spec],
        "verbs": ["use"],
    })
}

fn subject(namespace: &str, account: &str) -> Value {
    json!({"kind": "ServiceAccount", "name": account, "namespace": namespace})
}

/// Whether the object carries our label.
pub fn is_ours(object: &Value) -> bool {
    let labels = object.pointer("/metadata/labels");
    labels.and_then(|labels| labels.get(LABEL)).is_some_and(|by| by == FIELD_MANAGER)
}

/// What in a cluster role is not as we would make it.
pub fn role_differs(role: &Value, credential_spec: &str) -> Option<&'static str> {
    if role.get("aggregationRule").is_some_and(|rule| !rule.is_null()) {
        return Some("takes its rules from other roles");
    }
    let rules = role.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match rules {
        [one] if without_empty(one) == rule(credential_spec) => None,
        _ => Some(OTHER),
    }
}

/// What in a role binding is not as we would make it, the subjects aside.
pub fn binding_differs(binding: &Value, credential_spec: &str) -> Option<&'static str> {
    let is = |pointer: &str, wanted: &str| {
        binding.pointer(pointer).and_then(Value::as_str) == Some(wanted)
    };
    let same = is("/roleRef/apiGroup", GROUP)
        && is("/roleRef/kind", "ClusterRole")
        && is("/roleRef/name", &name(credential_spec));
    (!same).then_some("binds another role")
}

/// Whether the binding is the one that a denial's command makes: for this pair alone.
pub fn is_binding_of_pair(binding: &Value, pair: &Grant<'_>) -> bool {
    let is = |pointer: &str, wanted: &str| {
        binding.pointer(pointer).and_then(Value::as_str) == Some(wanted)
    };
    let name = pair.object_name();
    is("/metadata/name", &name)
        && is("/roleRef/kind", "Role")
        && is("/roleRef/name", &name)
        && subjects(binding).len() == 1
        && names(binding, pair.namespace(), pair.service_account())
}

/// The rule without nulls and empty lists.
fn without_empty(rule: &Value) -> Value {
    let mut rule = rule.clone();
    if let Some(keys) = rule.as_object_mut() {
        keys.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|v| !v.is_empty()));
    }
    rule
}

/// The subjects of a binding.
pub fn subjects(binding: &Value) -> &[Value] {
    binding.get("subjects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether the binding names the service account itself.
pub fn names(binding: &Value, namespace: &str, account: &str) -> bool {
    subjects(binding).iter().any(|one| is_account(one, namespace, account))
}

fn is_account(subject: &Value, namespace: &str, account: &str) -> bool {
    let is = |key: &str, wanted: &str| subject.get(key).and_then(Value::as_str) == Some(wanted);
    is("kind", "ServiceAccount") && is("name", account) && is("namespace", namespace)
}

/// The binding with these service accounts added; none if it names them all.
pub fn with(binding: &Value, namespace: &str, accounts: &[&str]) -> Option<Value> {
    let missing: Vec<Value> = accounts
        .iter()
        .filter(|account| !names(binding, namespace, account))
        .map(|account| subject(namespace, account))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let all = subjects(binding).iter().cloned().chain(missing).collect();
    with_subjects(binding, all)
}

/// The binding without these service accounts; none if it names none of them.
pub fn without(binding: &Value, namespace: &str, accounts: &[&str]) -> Option<Value> {
    let gone = |subject: &Value| accounts.iter().any(|one| is_account(subject, namespace, one));
    let kept: Vec<Value> =
        subjects(binding).iter().filter(|subject| !gone(subject)).cloned().collect();
    if kept.len() == subjects(binding).len() {
        return None;
    }
    with_subjects(binding, kept)
}

fn with_subjects(binding: &Value, subjects: Vec<Value>) -> Option<Value> {
    let mut changed = binding.clone();
    changed.as_object_mut()?.insert("subjects".to_owned(), Value::Array(subjects));
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_ours_only_if_they_allow_the_one_thing() {
        let role = cluster_role("webapp1");
        assert_eq!(role_differs(&role, "webapp1"), None);
        assert!(is_ours(&role));
        for (key, value) in [
            ("verbs", json!(["use", "get"])),
            ("verbs", json!(["*"])),
            ("resourceNames", json!(["webapp1", "sql"])),
            ("resourceNames", json!([])),
            ("apiGroups", json!(["*"])),
            ("resources", json!(["*"])),
            ("nonResourceURLs", json!(["/"])),
        ] {
            let mut other = role.clone();
            other["rules"][0][key] = value;
            assert_eq!(role_differs(&other, "webapp1"), Some(OTHER), "{other}");
        }
        let mut same = role.clone();
        same["rules"][0]["nonResourceURLs"] = json!(null);
        same["metadata"] = json!({"name": "gmsa-use-webapp1"});
        assert_eq!(role_differs(&same, "webapp1"), None);
        assert!(!is_ours(&same));
        let mut twice = role.clone();
        twice["rules"] = json!([role["rules"][0], role["rules"][0]]);
        assert!(role_differs(&twice, "webapp1").is_some());
        let mut aggregated = role;
        aggregated["aggregationRule"] = json!({"clusterRoleSelectors": []});
        assert_eq!(role_differs(&aggregated, "webapp1"), Some("takes its rules from other roles"));
    }

    #[test]
    fn subjects_are_added_and_taken_out_and_others_kept() {
        let mut binding = role_binding("webapp1", "shop", &["web"]);
        assert_eq!(binding_differs(&binding, "webapp1"), None);
        assert!(binding_differs(&binding, "sql").is_some());
        assert_eq!(with(&binding, "shop", &["web"]), None);
        let group = json!({"kind": "Group", "name": "web", "apiGroup": GROUP});
        binding["subjects"].as_array_mut().unwrap().push(group.clone());
        binding["metadata"]["annotations"] = json!({"kept": "yes"});
        let more = with(&binding, "shop", &["web", "sql"]).unwrap();
        assert_eq!(subjects(&more).len(), 3);
        assert_eq!(more["metadata"], binding["metadata"]);
        assert_eq!(without(&more, "shop", &["sql"]), Some(binding.clone()));
        assert_eq!(without(&binding, "other", &["web"]), None);
        let left = without(&binding, "shop", &["web"]).unwrap();
        assert_eq!(subjects(&left), [group]);
        binding["subjects"] = json!(null);
        assert!(names(&with(&binding, "shop", &["web"]).unwrap(), "shop", "web"));
    }

    #[test]
    fn the_binding_of_a_denials_command_is_known() {
        let pair = Grant::of("webapp1", "shop", "web").unwrap();
        let mut binding = role_binding("webapp1", "shop", &["web"]);
        assert!(!is_binding_of_pair(&binding, &pair));
        binding["metadata"]["name"] = json!("gmsa-use-webapp1:web");
        binding["roleRef"] =
            json!({"apiGroup": GROUP, "kind": "Role", "name": "gmsa-use-webapp1:web"});
        assert!(is_binding_of_pair(&binding, &pair));
        assert!(!is_binding_of_pair(&binding, &Grant::of("webapp1", "shop", "sql").unwrap()));
        // With another subject in it, it is no longer of this pair alone.
        let more = with(&binding, "shop", &["sql"]).unwrap();
        assert!(!is_binding_of_pair(&more, &pair));
    }
}
