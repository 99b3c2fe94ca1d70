//! From the bytes of an AdmissionReview to a request.
//!
//! A Pod is not copied: the request borrows what it needs from the body. Other objects stay JSON text.

use gmsa_core::admission::{MAX_PLACES, Operation, Reason, Request, Step};
use gmsa_core::names::PROBE;
use gmsa_core::pod::{Pod, has_too_many_containers};
use gmsa_core::printable::printable;
use gmsa_core::text::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

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
    #[error(
        "expected kind AdmissionReview of {API_VERSION}, got \"{}\" of \"{}\"",
        printable(kind),
        printable(api_version)
    )]
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
struct Envelope<'a, O> {
    #[serde(borrow)]
    api_version: Option<Text<'a>>,
    #[serde(borrow)]
    kind: Option<Text<'a>>,
    request: Option<AdmissionRequest<'a, O>>,
}

/// The text of a body.
///
/// Checked as a whole, because `serde_json` does not look into strings that nothing reads.
fn text(body: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(body).map_err(Malformed::NotText)
}

/// The request of an AdmissionReview, with its objects read as `O`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "O: Deserialize<'de>, 'de: 'a"))]
pub struct AdmissionRequest<'a, O> {
    uid: Option<Text<'a>>,
    kind: Option<Kind<'a>>,
    sub_resource: Option<Text<'a>>,
    name: Option<Text<'a>>,
    namespace: Option<Text<'a>>,
    operation: Option<Text<'a>>,
    dry_run: Option<bool>,
    object: Option<O>,
    old_object: Option<O>,
}

#[derive(Debug, Default, Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    group: Option<Text<'a>>,
    #[serde(borrow)]
    kind: Option<Text<'a>>,
}

fn request<O>(envelope: Envelope<'_, O>) -> Result<AdmissionRequest<'_, O>, Malformed> {
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

    /// Whether nothing will be stored.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry_run == Some(true)
    }
}

/// A decoded AdmissionReview.
#[derive(Debug)]
pub struct Review<'a> {
    // Boxed, because it is large and moved many times.
    request: AdmissionRequest<'a, Box<Pod<'a>>>,
    /// Why the object could not be read as a Pod.
    unreadable: Option<Unreadable>,
}

/// Why an object could not be read as a Pod.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The reason for the denial.
    pub reason: Reason,
    /// What is wrong, and where.
    pub message: String,
}

/// Decodes a body.
pub fn decode(body: &[u8]) -> Result<Review<'_>, Malformed> {
    let text = text(body)?;
    match serde_json::from_str::<Envelope<'_, Box<Pod<'_>>>>(text) {
        Ok(envelope) => Ok(Review { request: request(envelope)?, unreadable: None }),
        // Either the envelope is broken, or only an object in it.
        Err(_) => decode_apart(text),
    }
}

/// Reads the envelope first and then its objects, so that a request about an object that is not a
/// Pod can still be answered.
fn decode_apart(text: &str) -> Result<Review<'_>, Malformed> {
    let raw: AdmissionRequest<'_, &RawValue> =
        request(serde_json::from_str::<Envelope<'_, &RawValue>>(text)?)?;
    let mut unreadable = None;
    let object = read_pod("object", raw.object, &mut unreadable);
    let old_object = read_pod("oldObject", raw.old_object, &mut unreadable);
    let AdmissionRequest { uid, kind, sub_resource, name, namespace, operation, dry_run, .. } = raw;
    let request = AdmissionRequest {
        uid,
        kind,
        sub_resource,
        name,
        namespace,
        operation,
        dry_run,
        object,
        old_object,
    };
    Ok(Review { request, unreadable })
}

/// Reads an object as a Pod, or says why it is not one.
fn read_pod<'a>(
    name: &str,
    raw: Option<&'a RawValue>,
    unreadable: &mut Option<Unreadable>,
) -> Option<Box<Pod<'a>>> {
    match serde_json::from_str(raw?.get()) {
        Ok(pod) => pod,
        Err(error) => {
            let reason = if has_too_many_containers(&error) {
                Reason::TooManyPlaces
            } else {
                Reason::MalformedRequest
            };
            let message = format!("failed to read request.{name}: {error}");
            unreadable.get_or_insert(Unreadable { reason, message });
            None
        }
    }
}

impl<'a> Review<'a> {
    /// The uid that the answer must carry.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.request.uid()
    }

    /// The operation, as it was sent.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.request.operation()
    }

    /// The Pod, if there is one.
    #[must_use]
    pub fn pod(&self) -> Option<&Pod<'a>> {
        self.request.object.as_deref()
    }

    /// The namespace, empty if there is none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.request.namespace()
    }

    /// Whether the pod has the name of those by which `install`, `doctor` and `--check` ask whether the
    /// webhook answers, and is a dry run, as theirs are.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        let name = self.pod().and_then(|pod| pod.metadata.as_ref()?.name.as_deref());
        self.request.dry_run == Some(true) && name == Some(PROBE)
    }

    /// Why an object that the decision needs could not be read; none if it could, or if the
    /// decision does not need it.
    #[must_use]
    pub fn unreadable(&self) -> Option<&Unreadable> {
        let kind = self.kind();
        let judged = matches!(self.operation(), "CREATE" | "UPDATE")
            && kind.group.as_deref().unwrap_or_default().is_empty()
            && matches!(kind.kind.as_deref(), Some("Pod" | "EphemeralContainers"));
        self.unreadable.as_ref().filter(|_| judged)
    }

    /// How much memory the lists of the decoded objects take, in bytes.
    #[must_use]
    pub fn list_bytes(&self) -> usize {
        let objects = [&self.request.object, &self.request.old_object];
        objects.into_iter().flatten().map(|pod| pod.list_bytes()).sum()
    }

    /// The request for the core.
    #[must_use]
    pub fn to_request<'r>(&'r self, step: Step, random_hostname: Option<&'r str>) -> Request<'r> {
        let kind = self.kind();
        Request {
            step,
            operation: Operation::parse(self.operation()),
            group: kind.group.as_deref().unwrap_or_default(),
            kind: kind.kind.as_deref().unwrap_or_default(),
            subresource: self.request.sub_resource.as_deref().unwrap_or_default(),
            namespace: self.namespace(),
            object: self.request.object.as_deref(),
            old_object: self.request.old_object.as_deref(),
            random_hostname,
            max_places: MAX_PLACES,
        }
    }

    fn kind(&self) -> &Kind<'a> {
        const NONE: &Kind<'static> = &Kind { group: None, kind: None };
        self.request.kind.as_ref().unwrap_or(NONE)
    }
}

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
