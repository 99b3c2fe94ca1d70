//! AdmissionReviews (`admission.k8s.io/v1`): from bytes to a request, from a decision to bytes.

mod any;
mod encode;
mod pod;
mod request;
mod warnings;

pub use any::{AnyReview, decode_any};
pub use encode::{encode, encode_malformed, encode_warnings, warning};
pub use pod::{Review, Unreadable, decode};
pub use request::{AdmissionRequest, Malformed};
pub use warnings::fit as fit_warnings;

#[cfg(test)]
mod tests;
