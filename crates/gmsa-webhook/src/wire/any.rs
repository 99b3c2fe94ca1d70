//! Requests about objects other than pods, which stay JSON text.

use serde_json::value::RawValue;

use super::request::{AdmissionRequest, Envelope, Malformed, request, text};

/// A decoded AdmissionReview of any object.
pub type AnyReview<'a> = AdmissionRequest<'a, &'a RawValue>;

/// Decodes a body, except for the objects in it.
pub fn decode_any(body: &[u8]) -> Result<AnyReview<'_>, Malformed> {
    request(serde_json::from_str::<Envelope<'_, &RawValue>>(text(body)?)?)
}

impl<'a> AnyReview<'a> {
    /// The kind of the object.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.kind.as_ref().and_then(|kind| kind.kind.as_deref()).unwrap_or_default()
    }

    /// The name in the request, empty if the request is not about a single object.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The object, absent on `DELETE`.
    #[must_use]
    pub fn object(&self) -> Option<&'a str> {
        self.object.map(RawValue::get)
    }

    /// The object as it was.
    #[must_use]
    pub fn old_object(&self) -> Option<&'a str> {
        self.old_object.map(RawValue::get)
    }
}
