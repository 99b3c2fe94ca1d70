//! Whether a set of roles and bindings lets a service account `use` a credential spec.
//!
//! Answers as the RBAC authorizer of Kubernetes does (`rbac.authorization.k8s.io/v1`) for the user
//! `system:serviceaccount:NAMESPACE:NAME` in the groups `system:serviceaccounts` and
//! `system:serviceaccounts:NAMESPACE`.

mod model;
mod near;
mod policy;

pub use model::{Binding, LabelSelector, Requirement, Role, RoleRef, Rule, Subject};
pub use policy::{Grant, Policy, Unreadable};

#[cfg(test)]
mod tests;
