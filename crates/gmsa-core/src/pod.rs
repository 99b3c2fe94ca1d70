//! The borrowed view of a Pod: only what bears on a GMSA.
//!
//! The fields and their meaning are those of the Kubernetes API reference, `core/v1` Pod. All else
//! in the object is skipped without being copied. A `null` is an absent field.

mod contents;
mod identity;
mod place;
mod placement;
mod view;

pub use contents::Contents;
pub use identity::{Identity, identities};
pub use place::{Place, PlaceKind, Reference, shown};
pub use placement::{FixedHostname, HOSTNAME_LENGTH, Hostname};
pub use view::{
    Affinity, Container, Containers, MAX_CONTAINERS, Metadata, NodeAffinity, NodeSelector,
    NodeSelectorTerms, Os, OwnerReference, Owners, Pod, Required, SecurityContext, Spec,
    WindowsOptions, has_too_many_containers,
};

#[cfg(test)]
mod tests;
