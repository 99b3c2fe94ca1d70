//! Kubernetes manifests: from files to objects, and what they say together.

mod document;
mod files;
mod set;

pub use document::{Document, PassedOver, Source, UnreadableDocument, parse};
pub use files::{Input, Manifests, UnreadableFile, read};
pub use set::{ManifestSet, Problem, Workload};

#[cfg(test)]
mod tests;
