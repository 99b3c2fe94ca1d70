//! The Kubernetes side of kube-gmsa, by subject:
//!
//! - [`api`]: requests to the API server;
//! - [`cache`]: what the server knows of a cluster without asking;
//! - [`installation`]: the objects of an installation, and the custom resource definition;
//! - [`index`]: the object in which admission policies find credential specs, kept by the server;
//! - [`manifests`]: objects in files;
//! - [`simulate`]: both admission steps over facts from manifests or from a cluster;
//! - [`acting`]: which of its parts act on the pods of a namespace;
//! - [`audit`]: running pods and workloads checked against the current policy.

pub mod acting;
pub mod api;
pub mod audit;
pub mod cache;
pub mod index;
pub mod installation;
pub mod manifests;
pub mod simulate;
