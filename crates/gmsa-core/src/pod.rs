//! The borrowed view of a Pod: only what bears on a GMSA.
//!
//! The fields and their meaning are those of the Kubernetes API reference, `core/v1` Pod. All else
//! in the object is skipped without being copied. A `null` is an absent field.

mod contents;
mod identity;
mod list;
mod place;
mod placement;
mod view;

pub use contents::Contents;
pub use identity::{Identity, identities};
pub use list::{Containers, MAX_CONTAINERS, NodeSelectorTerms, Owners, has_too_many_containers};
pub use place::{Place, PlaceKind, Reference, shown};
pub use placement::{HOSTNAME_LENGTH, Hostname};
pub use view::{
    Affinity, Container, Metadata, NodeAffinity, NodeSelector, Os, OwnerReference, Pod, Required,
    SecurityContext, Spec, WindowsOptions,
};

#[cfg(test)]
mod tests;
