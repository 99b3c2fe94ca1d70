//! Kubernetes manifests: from files to objects, and what they say together.

mod document;
mod files;
mod openshift;
mod set;

pub use document::{Document, PassedOver, Source, UnreadableDocument, parse};
pub use files::{Input, Manifests, UnreadableFile, read};
pub use set::{ManifestSet, Problem, Unread, Workload};

#[cfg(test)]
mod tests;
