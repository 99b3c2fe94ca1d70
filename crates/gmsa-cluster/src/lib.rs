//! The Kubernetes side: custom resource, watched store, access reviews, manifests.

mod access;
mod bucket;
pub mod client;
mod cluster;
pub mod crd;
mod freshness;
mod live;
pub mod manifests;
mod memory;
pub mod objects;
mod rbac_watch;
mod store;
mod watch;

pub use access::review as review_access;
pub use cluster::{Cluster, Options};
pub use memory::Observer;
