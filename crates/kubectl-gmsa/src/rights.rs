//! `kubectl gmsa grant` and `kubectl gmsa revoke`: who may use which credential spec.

mod grant;
mod known;
pub mod print;
pub mod remaining;
pub mod settle;
pub mod shape;

use std::collections::{BTreeMap, BTreeSet};

use gmsa_cluster::api::objects::{Reference, kinds};
use gmsa_core::rbac::Policy;
use serde_json::Value;

use crate::cli::Account;
use crate::failure::Failure;

pub use grant::{grant, possible};

/// The role and the bindings that let service accounts use a credential spec.
pub fn objects(credential_spec: &str, accounts: &[Account]) -> Vec<Value> {
    let bindings = by_namespace(accounts)
        .into_iter()
        .map(|(namespace, accounts)| shape::role_binding(credential_spec, namespace, &accounts));
    std::iter::once(shape::cluster_role(credential_spec)).chain(bindings).collect()
}

/// The service accounts of each namespace, each once.
pub fn by_namespace(accounts: &[Account]) -> BTreeMap<&str, Vec<&str>> {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for account in accounts {
        sorted.entry(&account.namespace).or_default().insert(&account.name);
    }
    sorted.into_iter().map(|(namespace, names)| (namespace, names.into_iter().collect())).collect()
}

/// The credential specs, each once, in the order of the arguments.
pub fn distinct(names: &[String]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    names.iter().map(String::as_str).filter(|name| seen.insert(*name)).collect()
}

pub fn role_of(credential_spec: &str) -> Reference {
    Reference::cluster(kinds::CLUSTER_ROLE, &shape::name(credential_spec))
}

pub fn binding_of(credential_spec: &str, namespace: &str) -> Reference {
    Reference::namespaced(kinds::ROLE_BINDING, namespace, &shape::name(credential_spec))
}

/// What the roles and bindings of a cluster allow.
pub fn policy<'a>(objects: impl Iterator<Item = &'a Value>) -> Result<Policy, Failure> {
    let mut policy = Policy::of_cluster();
    for object in objects {
        // Objects that the API server serves have their namespace.
        policy
            .add(object, "")
            .map_err(|error| Failure::Cluster(format!("{error}; it was read from the cluster")))?;
    }
    Ok(policy)
}
