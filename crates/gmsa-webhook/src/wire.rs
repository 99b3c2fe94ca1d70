//! AdmissionReviews (`admission.k8s.io/v1`): from bytes to a request, from a decision to bytes.

mod decode;
mod encode;
mod warnings;

pub use decode::{AdmissionRequest, AnyReview, Malformed, Review, Unreadable, decode, decode_any};
pub use encode::{encode, encode_malformed, encode_warnings, warning};
pub use warnings::fit as fit_warnings;

#[cfg(test)]
mod tests;
