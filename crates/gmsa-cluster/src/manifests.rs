//! Kubernetes manifests: reads files into objects and evaluates them together.

mod document;
mod files;
mod json;
mod openshift;
mod set;

pub use document::{Document, PassedOver, Source, UnreadableDocument, parse};
pub use files::{Input, Manifests, Text, UnreadableFile, read, texts};
pub use set::{CredentialSpec, ManifestSet, Problem, Unread, Workload};

#[cfg(test)]
mod tests;
