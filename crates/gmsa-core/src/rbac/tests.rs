use proptest::prelude::*;
use serde_json::{Value, json};

use super::{LabelSelector, Policy};

const API: &str = "rbac.authorization.k8s.io/v1";

fn role(kind: &str, name: &str, rules: &Value) -> Value {
    json!({"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "rules": rules})
}

fn rule(names: &Value) -> Value {
    json!([{"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"],
        "verbs": ["use"], "resourceNames": names}])
}

fn binding(kind: &str, subject: &Value, role_kind: &str, role: &str) -> Value {
    json!({"apiVersion": API, "kind": kind, "metadata": {"name": "b", "namespace": "shop"},
        "subjects": [subject], "roleRef": {"kind": role_kind, "name": role, "apiGroup": "rbac.authorization.k8s.io"}})
}

fn policy(objects: &[Value]) -> Policy {
    let mut policy = Policy::default();
    for object in objects {
        assert!(policy.add(object, "default").unwrap(), "{object}");
    }
    policy
}

fn account() -> Value {
    json!({"kind": "ServiceAccount", "name": "web", "namespace": "shop"})
}

#[test]
fn an_absent_selector_selects_everything_and_an_unreadable_one_nothing() {
    let labels = [("team".to_owned(), "a".to_owned())].into();
    let requirement = |operator: Value| json!({"matchExpressions": [{"key": "team", "operator": operator, "values": ["a"]}]});
    for (selector, expected) in [
        (None, true),
        (Some(Value::Null), true),
        (Some(json!({})), true),
        (Some(json!({"matchLabels": {"team": "a"}})), true),
        (Some(json!({"matchLabels": {"team": "b"}})), false),
        (Some(requirement(json!("In"))), true),
        (Some(requirement(json!("NotIn"))), false),
        (Some(requirement(json!("Near"))), false),
        (Some(requirement(json!(7))), false),
        (Some(json!("all")), false),
    ] {
        let read = LabelSelector::read(selector.as_ref());
        assert_eq!(read.matches(&labels), expected, "{selector:?}");
    }
}

#[test]
fn subjects_in_all_their_spellings() {
    let group = |name: &str| json!({"kind": "Group", "name": name});
    let user = |name: &str| json!({"kind": "User", "name": name});
    for (subject, namespaced, cluster) in [
        (account(), true, true),
        (json!({"kind": "ServiceAccount", "name": "web"}), true, false),
        (json!({"kind": "ServiceAccount", "name": "web", "namespace": "other"}), false, false),
        (json!({"kind": "ServiceAccount", "name": "sql", "namespace": "shop"}), false, false),
        (user("system:serviceaccount:shop:web"), true, true),
        (user("web"), false, false),
        (user("*"), false, false),
        (group("system:serviceaccounts"), true, true),
        (group("system:serviceaccounts:shop"), true, true),
        (group("system:serviceaccounts:other"), false, false),
        (group("system:serviceaccountsshop"), false, false),
        (group("system:authenticated"), false, false),
        (json!({"kind": "Robot", "name": "web"}), false, false),
    ] {
        let role = role("ClusterRole", "r", &rule(&json!(["webapp1"])));
        for (kind, expected) in [("RoleBinding", namespaced), ("ClusterRoleBinding", cluster)] {
            let policy = policy(&[role.clone(), binding(kind, &subject, "ClusterRole", "r")]);
            assert_eq!(policy.may_use("shop", "web", "webapp1"), expected, "{kind} {subject}");
        }
    }
}

#[test]
fn rules_with_their_wildcards() {
    let rule = |groups: Value, resources: Value, verbs: Value, names: Value| json!([{"apiGroups": groups, "resources": resources, "verbs": verbs, "resourceNames": names}]);
    let (group, resource) = (json!(["windows.k8s.io"]), json!(["gmsacredentialspecs"]));
    let (verb, name) = (json!(["use"]), json!(["webapp1"]));
    for (rules, expected) in [
        (rule(group.clone(), resource.clone(), verb.clone(), name.clone()), Some(false)),
        (rule(json!(["*"]), resource.clone(), verb.clone(), name.clone()), Some(true)),
        (rule(group.clone(), json!(["*"]), verb.clone(), name.clone()), Some(true)),
        (rule(group.clone(), resource.clone(), json!(["*"]), name.clone()), Some(true)),
        (rule(group.clone(), resource.clone(), verb.clone(), json!([])), Some(true)),
        (rule(group.clone(), resource.clone(), verb.clone(), json!(null)), Some(true)),
        (rule(json!([""]), resource.clone(), verb.clone(), name.clone()), None),
        (rule(group.clone(), json!(["gmsacredentialspecs/*"]), verb.clone(), name.clone()), None),
        (rule(group.clone(), json!(["*/status"]), verb.clone(), name.clone()), None),
        (rule(group.clone(), resource.clone(), json!(["get", "list"]), name.clone()), None),
        (rule(group.clone(), resource.clone(), verb.clone(), json!(["*"])), None),
        (rule(group.clone(), resource.clone(), verb.clone(), json!(["WebApp1"])), None),
        (json!([{"nonResourceURLs": ["*"], "verbs": ["*"]}]), None),
        (json!(null), None),
    ] {
        let policy =
            policy(&[role("Role", "r", &rules), binding("RoleBinding", &account(), "Role", "r")]);
        let grants = policy.grants("shop", "web", "webapp1");
        assert_eq!(grants.first().map(|grant| grant.wildcard), expected, "{rules}");
        assert_eq!(policy.may_use("shop", "web", "webapp1"), expected.is_some());
        assert!(!policy.may_use("other", "web", "webapp1"));
    }
}

#[test]
fn which_role_a_binding_reaches() {
    let rules = rule(&json!(["webapp1"]));
    for (binding_kind, role_kind, expected) in [
        ("RoleBinding", "Role", true),
        ("RoleBinding", "ClusterRole", true),
        ("ClusterRoleBinding", "ClusterRole", true),
        ("ClusterRoleBinding", "Role", false),
    ] {
        let objects =
            [role(role_kind, "r", &rules), binding(binding_kind, &account(), role_kind, "r")];
        let policy = policy(&objects);
        assert_eq!(policy.may_use("shop", "web", "webapp1"), expected);
        assert_eq!(policy.dangling().count(), usize::from(!expected));
    }
    let missing = policy(&[binding("RoleBinding", &account(), "ClusterRole", "gone")]);
    assert!(!missing.may_use("shop", "web", "webapp1"));
}

#[test]
fn aggregated_roles_take_the_rules_of_others() {
    let aggregate = |name: &str, selector: Value, labels: Value| {
        json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": name, "labels": labels},
            "rules": rule(&json!(["own"])),
            "aggregationRule": {"clusterRoleSelectors": [selector]}})
    };
    let mut leaf = role("ClusterRole", "leaf", &rule(&json!(["webapp1"])));
    leaf["metadata"]["labels"] = json!({"tier": "web", "env": "prod"});
    for (selector, expected) in [
        (json!({"matchLabels": {"tier": "web"}}), true),
        (json!({"matchLabels": {"tier": "sql"}}), false),
        (json!({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web"]}]}), true),
        (
            json!({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}),
            false,
        ),
        (json!({"matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}]}), true),
        (json!({"matchExpressions": [{"key": "gone", "operator": "Exists"}]}), false),
        (json!({"matchExpressions": [{"key": "tier", "operator": "Near"}]}), false),
    ] {
        let middle = aggregate("middle", selector.clone(), json!({"up": "yes"}));
        // The two upper ones select each other: no endless loop.
        let top = aggregate("top", json!({"matchLabels": {"up": "yes"}}), json!({"tier": "web"}));
        let bound = binding("ClusterRoleBinding", &account(), "ClusterRole", "top");
        let policy = policy(&[leaf.clone(), middle, top, bound]);
        assert_eq!(policy.may_use("shop", "web", "webapp1"), expected, "{selector}");
        assert!(!policy.may_use("shop", "web", "own"), "overwritten by the controller");
    }
}

#[test]
fn objects_of_a_cluster_are_used_as_stored() {
    let mut leaf = role("ClusterRole", "leaf", &rule(&json!(["webapp1"])));
    leaf["metadata"]["labels"] = json!({"tier": "web"});
    let aggregate = |rules: &Value| {
        json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": "top"}, "rules": rules,
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"tier": "web"}}]}})
    };
    for (stored, expected) in [(rule(&json!(["webapp1"])), true), (json!([]), false)] {
        let mut policy = Policy::of_cluster();
        let bound = binding("ClusterRoleBinding", &account(), "ClusterRole", "top");
        for object in [&leaf, &aggregate(&stored), &bound] {
            policy.add(object, "default").unwrap();
        }
        let grants = policy.grants("shop", "web", "webapp1");
        assert_eq!(grants.len(), usize::from(expected));
        assert!(grants.iter().all(|grant| grant.aggregated_from == ["ClusterRole leaf"]));
    }
}

#[test]
fn every_subject_that_matches_is_a_way_of_its_own() {
    let mut bound = binding("RoleBinding", &account(), "ClusterRole", "r");
    bound["subjects"] = json!([account(), {"kind": "Group", "name": "system:serviceaccounts"},
        {"kind": "User", "name": "system:serviceaccount:other:sql"},
        {"kind": "User", "name": "jane"}, {"kind": "ServiceAccount", "name": "own"}]);
    let policy = policy(&[role("ClusterRole", "r", &rule(&json!(["webapp1"]))), bound]);
    let subjects: Vec<String> =
        policy.grants("shop", "web", "webapp1").into_iter().map(|grant| grant.subject).collect();
    assert_eq!(subjects, ["ServiceAccount shop/web", "Group system:serviceaccounts"]);
    let named: Vec<_> = policy.accounts().into_iter().collect();
    assert_eq!(named, [("other", "sql"), ("shop", "own"), ("shop", "web")]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let bad = json!({"apiVersion": API, "kind": "Role", "metadata": {"name": "r"}, "rules": "all"});
    let error = Policy::default().add(&bad, "default").unwrap_err().to_string();
    assert!(error.starts_with("failed to read Role \"r\": invalid type"), "{error}");
    assert!(!Policy::default().add(&json!({"kind": "Pod", "apiVersion": "v1"}), "d").unwrap());
}

fn pick(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(of)
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(pick(of), 0..3)
}

proptest! {
    /// A second evaluator, over untyped JSON and without an index, agrees.
    #[test]
    fn a_naive_evaluator_agrees(
        roles in prop::collection::vec((
            pick(&["Role", "ClusterRole"]), pick(&["a", "b"]), pick(&["shop", "other"]),
            some(&["use", "get", "*"]), some(&["windows.k8s.io", "apps", "*"]),
            some(&["gmsacredentialspecs", "pods", "*"]), some(&["webapp1", "sql"]),
        ), 0..4),
        bindings in prop::collection::vec((
            pick(&["RoleBinding", "ClusterRoleBinding"]), pick(&["x", "y"]), pick(&["shop", "other"]),
            pick(&["ServiceAccount", "User", "Group"]),
            pick(&["web", "system:serviceaccount:shop:web", "system:serviceaccounts", "system:serviceaccounts:shop"]),
            pick(&["", "shop", "other"]), pick(&["Role", "ClusterRole"]), pick(&["a", "b"]),
        ), 0..4),
        name in pick(&["webapp1", "sql"]),
    ) {
        let mut objects: Vec<Value> = Vec::new();
        for (kind, name, namespace, verbs, groups, resources, names) in roles {
            let metadata = if kind == "Role" { json!({"name": name, "namespace": namespace}) } else { json!({"name": name}) };
            objects.push(json!({"apiVersion": API, "kind": kind, "metadata": metadata, "rules": [
                {"verbs": verbs, "apiGroups": groups, "resources": resources, "resourceNames": names}]}));
        }
        for (kind, name, namespace, subject, subject_name, subject_namespace, role_kind, role) in bindings {
            let metadata = if kind == "RoleBinding" { json!({"name": name, "namespace": namespace}) } else { json!({"name": name}) };
            objects.push(json!({"apiVersion": API, "kind": kind, "metadata": metadata,
                "subjects": [{"kind": subject, "name": subject_name, "namespace": subject_namespace}],
                "roleRef": {"kind": role_kind, "name": role}}));
        }
        let policy = policy(&objects);
        prop_assert_eq!(policy.may_use("shop", "web", name), naive(&objects, name));
        prop_assert_eq!(policy.grants("shop", "web", name).is_empty(), !naive(&objects, name));
    }
}

fn naive(objects: &[Value], name: &str) -> bool {
    let last = |kind: &Value, namespace: &Value, name: &Value| {
        objects.iter().rev().find(|object| {
            &object["kind"] == kind
                && &object["metadata"]["name"] == name
                && (kind == "ClusterRole" || &object["metadata"]["namespace"] == namespace)
        })
    };
    let has = |list: &Value, wanted: &str| {
        list.as_array().unwrap().iter().any(|item| item == wanted || item == "*")
    };
    objects.iter().enumerate().any(|(index, binding)| {
        let kind = binding["kind"].as_str().unwrap();
        let namespace = &binding["metadata"]["namespace"];
        let replaced = objects.iter().skip(index + 1).any(|other| {
            other["kind"] == binding["kind"] && other["metadata"] == binding["metadata"]
        });
        if replaced
            || !kind.ends_with("Binding")
            || (kind == "RoleBinding" && namespace != "shop")
            || (kind == "ClusterRoleBinding" && binding["roleRef"]["kind"] == "Role")
        {
            return false;
        }
        let subject = &binding["subjects"][0];
        let subject_name = subject["name"].as_str().unwrap();
        let matches = match subject["kind"].as_str().unwrap() {
            "ServiceAccount" => {
                subject_name == "web"
                    && (subject["namespace"] == "shop"
                        || subject["namespace"] == "" && kind == "RoleBinding")
            }
            "User" => subject_name == "system:serviceaccount:shop:web",
            _ => ["system:serviceaccounts", "system:serviceaccounts:shop"].contains(&subject_name),
        };
        matches
            && last(&binding["roleRef"]["kind"], namespace, &binding["roleRef"]["name"])
                .is_some_and(|role| {
                    let rule = &role["rules"][0];
                    let names = rule["resourceNames"].as_array().unwrap();
                    has(&rule["verbs"], "use")
                        && has(&rule["apiGroups"], "windows.k8s.io")
                        && has(&rule["resources"], "gmsacredentialspecs")
                        && (names.is_empty() || names.iter().any(|item| item == name))
                })
    })
}
