//! Roles and bindings that come close to a right: what each of them lacks is one word.

use std::collections::BTreeSet;

use super::model::{Binding, GROUP, RESOURCE, Role, Rule, Subject, VERB};
use super::policy::{Policy, binding_label};

impl Policy {
    /// One line for each role or binding that would let the service account `use` the credential
    /// spec but for one word, saying which word. For hints: nothing is decided by it.
    #[must_use]
    pub fn near_misses(&self, namespace: &str, account: &str, name: &str) -> Vec<String> {
        let mut found = BTreeSet::new();
        let namespaced = self.bindings.iter().flat_map(|(of, bindings)| {
            bindings.values().map(move |binding| (Some(of.as_str()), binding))
        });
        let cluster = self.cluster_bindings.values().map(|binding| (None, binding));
        for (of, binding) in namespaced.chain(cluster) {
            let Some(role) = self.role(of, binding) else { continue };
            let label = binding_label(of, binding);
            for subject in &binding.subjects {
                found.extend(line(
                    (of, binding, &label),
                    role,
                    subject,
                    (namespace, account, name),
                ));
            }
        }
        found.into_iter().collect()
    }
}

/// What one subject of a binding lacks, if that is one word.
fn line(
    (of, binding, label): (Option<&str>, &Binding, &str),
    role: &Role,
    subject: &Subject,
    (namespace, account, name): (&str, &str, &str),
) -> Option<String> {
    let allows = role.rules.iter().any(|rule| rule.allows(name).is_some());
    let reaches = of.is_none_or(|of| of == namespace);
    if subject.is(of.unwrap_or_default(), namespace, account) {
        if !allows && reaches {
            let lack = role.rules.iter().find_map(|rule| lack(rule, name))?;
            let role = &binding.role_ref;
            return Some(format!("{} {} is bound by {label} and {lack}", role.kind, role.name));
        }
        return (allows && !reaches).then(|| {
            format!("{label} names it, but is in another namespace: make it in {namespace}")
        });
    }
    if !allows || !reaches || subject.name != account {
        return None;
    }
    match subject.kind.as_str() {
        "ServiceAccount" => Some(format!(
            "{label} names ServiceAccount {}/{account}: write namespace: {namespace}",
            if subject.namespace.is_empty() { "-" } else { &subject.namespace }
        )),
        kind => Some(format!(
            "{label} names {kind} {account}: write kind: ServiceAccount and namespace: {namespace}"
        )),
    }
}

/// What a rule lacks, if that is one word.
fn lack(rule: &Rule, name: &str) -> Option<String> {
    let says = |list: &[String]| {
        let quoted: Vec<String> = list.iter().map(|one| format!("\"{one}\"")).collect();
        quoted.join(", ")
    };
    let with = |change: fn(&mut Rule)| {
        let mut other = rule.clone();
        change(&mut other);
        other.allows(name).is_some()
    };
    let has_gmsa = |list: &[String]| list.iter().any(|one| one.to_lowercase().contains("gmsa"));
    if with(|rule| rule.resources = vec![RESOURCE.to_owned()]) && has_gmsa(&rule.resources) {
        return Some(format!("says resources {}: write {RESOURCE}", says(&rule.resources)));
    }
    if with(|rule| rule.api_groups = vec![GROUP.to_owned()]) && has_gmsa(&rule.resources) {
        return Some(format!("says apiGroups {}: write {GROUP}", says(&rule.api_groups)));
    }
    // Who may read all of them is not meant to use one.
    if with(|rule| rule.verbs = vec![VERB.to_owned()])
        && has_gmsa(&rule.resources)
        && !rule.resource_names.is_empty()
    {
        return Some(format!("says verbs {}: write {VERB}", says(&rule.verbs)));
    }
    let is_pattern = |one: &&String| {
        let (before, after) = one.split_once(['*', '?']).unwrap_or((one, ""));
        before.len() < one.len() && name.starts_with(before) && name.ends_with(after)
    };
    if with(|rule| rule.resource_names = Vec::new())
        && let Some(pattern) = rule.resource_names.iter().find(is_pattern)
    {
        return Some(format!(
            "names \"{pattern}\", but resourceNames takes whole names: write {name}"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(group: &str, resource: &str, verb: &str, name: &str) -> Value {
        json!({"apiGroups": [group], "resources": [resource], "verbs": [verb],
            "resourceNames": [name]})
    }

    fn near(rule: &Value, of: &str, subject: &Value) -> Vec<String> {
        let api = "rbac.authorization.k8s.io/v1";
        let mut policy = Policy::default();
        for object in [
            json!({"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": "r"},
                "rules": [rule]}),
            json!({"apiVersion": api, "kind": "RoleBinding",
                "metadata": {"name": "b", "namespace": of},
                "roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [subject]}),
        ] {
            assert!(policy.add(&object, "default").unwrap());
        }
        policy.near_misses("shop", "web", "gmsa-webapp1")
    }

    #[test]
    fn what_misses_by_one_word_is_named_with_the_word() {
        let good = rule(GROUP, RESOURCE, VERB, "gmsa-webapp1");
        let web = json!({"kind": "ServiceAccount", "name": "web", "namespace": "shop"});
        let bound = "ClusterRole r is bound by RoleBinding shop/b and";
        for (rule, of, subject, says) in [
            (
                rule(GROUP, "gmsacredentialspec", VERB, "gmsa-webapp1"),
                "shop",
                web.clone(),
                format!("{bound} says resources \"gmsacredentialspec\": write {RESOURCE}"),
            ),
            (
                rule(GROUP, "GMSACredentialSpecs", VERB, "gmsa-webapp1"),
                "shop",
                web.clone(),
                format!("{bound} says resources \"GMSACredentialSpecs\": write {RESOURCE}"),
            ),
            (
                rule("", RESOURCE, VERB, "gmsa-webapp1"),
                "shop",
                web.clone(),
                format!("{bound} says apiGroups \"\": write {GROUP}"),
            ),
            (
                rule("auth.k8s.io", RESOURCE, VERB, "gmsa-webapp1"),
                "shop",
                web.clone(),
                format!("{bound} says apiGroups \"auth.k8s.io\": write {GROUP}"),
            ),
            (
                rule(GROUP, RESOURCE, "get", "gmsa-webapp1"),
                "shop",
                web.clone(),
                format!("{bound} says verbs \"get\": write use"),
            ),
            (
                rule(GROUP, RESOURCE, VERB, "gmsa-*"),
                "shop",
                web.clone(),
                format!(
                    "{bound} names \"gmsa-*\", but resourceNames takes whole names: write \
                     gmsa-webapp1"
                ),
            ),
            (
                good.clone(),
                "default",
                web.clone(),
                "RoleBinding default/b names it, but is in another namespace: make it in shop"
                    .to_owned(),
            ),
            (
                good.clone(),
                "shop",
                json!({"kind": "User", "name": "web"}),
                "RoleBinding shop/b names User web: write kind: ServiceAccount and namespace: shop"
                    .to_owned(),
            ),
            (
                good.clone(),
                "shop",
                json!({"kind": "ServiceAccount", "name": "web", "namespace": "default"}),
                "RoleBinding shop/b names ServiceAccount default/web: write namespace: shop"
                    .to_owned(),
            ),
        ] {
            assert_eq!(near(&rule, of, &subject), [says], "{rule} {of} {subject}");
        }
    }

    #[test]
    fn what_allows_it_or_misses_by_more_is_not_named() {
        let web = json!({"kind": "ServiceAccount", "name": "web", "namespace": "shop"});
        let other = json!({"kind": "ServiceAccount", "name": "other", "namespace": "shop"});
        let reader = json!({"apiGroups": [GROUP], "resources": [RESOURCE], "verbs": ["get"]});
        for (rule, of, subject) in [
            (rule(GROUP, RESOURCE, VERB, "gmsa-webapp1"), "shop", &web),
            (rule(GROUP, RESOURCE, VERB, "gmsa-sql"), "shop", &web),
            (rule(GROUP, RESOURCE, "get", "gmsa-webapp1"), "default", &web),
            (rule("", "gmsacredentialspec", VERB, "gmsa-webapp1"), "shop", &web),
            (rule("", "pods", VERB, "gmsa-webapp1"), "shop", &web),
            (reader, "shop", &web),
            (rule(GROUP, RESOURCE, VERB, "gmsa-webapp1"), "shop", &other),
        ] {
            assert_eq!(near(&rule, of, subject), [""; 0], "{rule} {of} {subject}");
        }
    }
}
