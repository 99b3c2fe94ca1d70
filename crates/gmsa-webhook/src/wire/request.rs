//! The envelope of an AdmissionReview, whatever its objects are read as.

use gmsa_core::text::Text;
use serde::Deserialize;

const API_VERSION: &str = "admission.k8s.io/v1";

/// A body that is not an AdmissionReview with a request: answered with 400.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is not UTF-8 text.
    #[error("failed to read the body as UTF-8 text: {0}")]
    NotText(std::str::Utf8Error),
    /// It is not JSON, or a field has another type.
    #[error("failed to read the body as an AdmissionReview: {0}")]
    Json(#[from] serde_json::Error),
    /// It is an object of another kind or version.
    #[error("expected kind AdmissionReview of {API_VERSION}, got {kind:?} of {api_version:?}")]
    Kind {
        /// The `kind` that it has.
        kind: String,
        /// The `apiVersion` that it has.
        api_version: String,
    },
    /// It has no request.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// The request has no uid to answer to.
    #[error("the request of the AdmissionReview has no uid")]
    NoUid,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "O: Deserialize<'de>"))]
pub(super) struct Envelope<'a, O> {
    #[serde(borrow)]
    api_version: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) kind: Option<Text<'a>>,
    request: Option<AdmissionRequest<'a, O>>,
}

/// The text of a body.
///
/// Checked as a whole, because `serde_json` does not look into strings that nothing reads.
pub(super) fn text(body: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(body).map_err(Malformed::NotText)
}

/// The request of an AdmissionReview, with its objects read as `O`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "O: Deserialize<'de>, 'de: 'a"))]
pub struct AdmissionRequest<'a, O> {
    pub(super) uid: Option<Text<'a>>,
    pub(super) kind: Option<Kind<'a>>,
    pub(super) sub_resource: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
    pub(super) namespace: Option<Text<'a>>,
    pub(super) operation: Option<Text<'a>>,
    pub(super) object: Option<O>,
    pub(super) old_object: Option<O>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Kind<'a> {
    #[serde(borrow)]
    pub(super) group: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) kind: Option<Text<'a>>,
}

pub(super) fn request<O>(envelope: Envelope<'_, O>) -> Result<AdmissionRequest<'_, O>, Malformed> {
    let Envelope { api_version, kind, request } = envelope;
    let text = |text: Option<Text<'_>>| text.as_deref().unwrap_or_default().to_owned();
    if api_version.as_deref() != Some(API_VERSION) || kind.as_deref() != Some("AdmissionReview") {
        return Err(Malformed::Kind { kind: text(kind), api_version: text(api_version) });
    }
    let request = request.ok_or(Malformed::NoRequest)?;
    if request.uid.as_deref().is_none_or(str::is_empty) {
        return Err(Malformed::NoUid);
    }
    Ok(request)
}

impl<O> AdmissionRequest<'_, O> {
    /// The uid that the answer must carry.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.uid.as_deref().unwrap_or_default()
    }

    /// The operation, as it was sent.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.operation.as_deref().unwrap_or_default()
    }

    /// The namespace, empty if there is none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}
