//! Requests about objects other than pods, which are read as they stand there.

use serde_json::value::RawValue;

use super::{AdmissionRequest, Envelope, Malformed, request};

/// A decoded AdmissionReview of any object.
#[derive(Debug)]
pub struct AnyReview<'a> {
    request: AdmissionRequest<'a, &'a RawValue>,
}

/// Decodes a body, but for the objects in it.
pub fn decode_any(body: &[u8]) -> Result<AnyReview<'_>, Malformed> {
    let text = std::str::from_utf8(body).map_err(Malformed::NotText)?;
    let request = request(serde_json::from_str::<Envelope<'_, &RawValue>>(text)?)?;
    Ok(AnyReview { request })
}

impl<'a> AnyReview<'a> {
    /// The uid that the answer must carry.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.request.uid.as_deref().unwrap_or_default()
    }

    /// The operation as it stands there.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.request.operation.as_deref().unwrap_or_default()
    }

    /// The kind of the object.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.request.kind.as_ref().and_then(|kind| kind.kind.as_deref()).unwrap_or_default()
    }

    /// The namespace, empty if there is none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.request.namespace.as_deref().unwrap_or_default()
    }

    /// The name in the request, empty if it is none of a single object.
    #[must_use]
    pub fn name(&self) -> &str {
        self.request.name.as_deref().unwrap_or_default()
    }

    /// The object, absent on `DELETE`.
    #[must_use]
    pub fn object(&self) -> Option<&'a str> {
        self.request.object.map(RawValue::get)
    }

    /// The object as it was.
    #[must_use]
    pub fn old_object(&self) -> Option<&'a str> {
        self.request.old_object.map(RawValue::get)
    }
}
