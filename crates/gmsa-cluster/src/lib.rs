//! The Kubernetes side: custom resource, watched store, access reviews, manifests.

mod access;
pub mod apply;
pub mod audit;
mod bucket;
pub mod client;
mod cluster;
pub mod crd;
pub mod credential_specs;
pub mod events;
#[cfg(feature = "exec")]
pub mod exec;
mod freshness;
pub mod install;
pub mod judge;
mod live;
pub mod manifests;
mod memory;
pub mod objects;
pub mod own;
pub mod probe;
mod rbac_watch;
mod store;
pub mod usage;
mod watch;

pub use access::{review as review_access, reviews as review_accesses};
pub use cluster::{Cluster, Options};
pub use memory::Observer;
