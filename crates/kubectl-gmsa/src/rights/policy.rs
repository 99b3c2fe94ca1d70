//! The roles and bindings of a cluster, as they are judged.

use gmsa_core::rbac::Policy;
use serde_json::Value;

use crate::failure::Failure;

/// What the objects allow.
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
