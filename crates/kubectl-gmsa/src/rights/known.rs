//! By which ways service accounts have a right before it is granted.

use std::collections::BTreeMap;

use gmsa_cluster::api::Error;
use gmsa_cluster::api::objects::{Objects, kinds};
use gmsa_core::rbac::{Grant, Policy};

use super::binding_of;
use super::policy;
use crate::failure::Failure;

/// What is granted: credential specs, and service accounts by namespace.
pub type Wanted<'a> = (Vec<&'a str>, BTreeMap<&'a str, Vec<&'a str>>);

/// The ways that were there before anything was changed.
pub struct Known {
    policy: Policy,
    /// What may not be read, and why: ways may then be missing.
    pub unread: Vec<Error>,
}

impl Known {
    /// Reads the roles and bindings that count in the namespaces of the service accounts.
    pub async fn read(objects: &Objects, wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let mut found = Vec::new();
        let mut unread = Vec::new();
        let everywhere =
            [kinds::CLUSTER_ROLE, kinds::CLUSTER_ROLE_BINDING].map(|kind| (kind, None));
        let namespaced = wanted.1.keys().flat_map(|namespace| {
            [kinds::ROLE, kinds::ROLE_BINDING].map(|kind| (kind, Some(*namespace)))
        });
        for (kind, namespace) in everywhere.into_iter().chain(namespaced) {
            match objects.list(kind, namespace).await {
                Ok(all) => found.extend(all),
                Err(error) if error.code() == Some(403) => unread.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { policy: policy(found.iter())?, unread })
    }

    /// Every way, those by our own binding first.
    pub fn ways(&self, name: &str, namespace: &str, account: &str) -> Vec<Grant> {
        let mut ways = self.policy.grants(namespace, account, name);
        ways.sort_by_key(|way| !is_own(way, name, namespace));
        ways
    }

    /// Those for whom our own binding is needed. It is not for who is named, not by a group, in a
    /// binding of another name to a role that names the credential spec.
    pub fn lacking<'a>(&self, name: &str, namespace: &str, accounts: &[&'a str]) -> Vec<&'a str> {
        let lacks = |account: &&str| {
            let ways = self.ways(name, namespace, account);
            let exact = |way: &Grant| !way.wildcard && !way.subject.starts_with("Group ");
            ways.iter().any(|way| is_own(way, name, namespace)) || !ways.iter().any(exact)
        };
        accounts.iter().copied().filter(lacks).collect()
    }
}

fn is_own(way: &Grant, name: &str, namespace: &str) -> bool {
    way.binding == binding_of(name, namespace).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::shape;
    use super::*;

    fn known(objects: &[Value]) -> Known {
        Known { policy: policy(objects.iter()).unwrap(), unread: Vec::new() }
    }

    fn role(name: &str, resource_names: &Value) -> Value {
        let mut role = shape::cluster_role("webapp1");
        role["metadata"]["name"] = json!(name);
        role["rules"][0]["resourceNames"] = resource_names.clone();
        role
    }

    fn binding(name: &str, role: &str, subject: &Value) -> Value {
        let mut binding = shape::role_binding("webapp1", "shop", &[]);
        binding["metadata"]["name"] = json!(name);
        binding["roleRef"]["name"] = json!(role);
        binding["subjects"] = json!([subject]);
        binding
    }

    #[test]
    fn an_own_binding_is_needed_unless_another_names_both() {
        let account = json!({"kind": "ServiceAccount", "name": "web", "namespace": "shop"});
        let user = json!({"kind": "User", "name": "system:serviceaccount:shop:web"});
        let group = json!({"kind": "Group", "name": "system:serviceaccounts:shop"});
        let named = role("hand-written", &json!(["sql", "webapp1"]));
        let all = role("all", &json!([]));
        let own = shape::cluster_role("webapp1");
        let own_binding = shape::role_binding("webapp1", "shop", &["web"]);
        let by = |name: &str, subject| binding("hand-written", name, subject);
        for (objects, needed) in [
            (vec![], true),
            (vec![named.clone(), by("hand-written", &account)], false),
            (vec![named.clone(), by("hand-written", &user)], false),
            (vec![own.clone(), by("gmsa-use-webapp1", &account)], false),
            (vec![named.clone(), by("hand-written", &group)], true),
            (vec![all.clone(), by("all", &account)], true),
            (vec![role("other", &json!(["sql"])), by("other", &account)], true),
            // The role is not there.
            (vec![by("hand-written", &account)], true),
            // What is ours is kept as it is, with or without another way.
            (vec![own.clone(), own_binding.clone()], true),
            (vec![own, own_binding.clone(), named.clone(), by("hand-written", &account)], true),
            // Ours gives nothing without its role, and another way does.
            (vec![own_binding, named, by("hand-written", &account)], false),
        ] {
            let lacking = known(&objects).lacking("webapp1", "shop", &["web"]);
            assert_eq!(!lacking.is_empty(), needed, "{objects:?}");
        }
    }
}
