//! Requests about pods. The Pod is not copied: the request borrows what it needs from the body.

use gmsa_core::admission::{MAX_PLACES, Operation, Reason, Request, Step};
use gmsa_core::pod::{Pod, has_too_many_containers};
use serde_json::value::RawValue;

use super::request::{AdmissionRequest, Envelope, Kind, Malformed, request, text};

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
    let AdmissionRequest { uid, kind, sub_resource, name, namespace, operation, .. } = raw;
    let request = AdmissionRequest {
        uid,
        kind,
        sub_resource,
        name,
        namespace,
        operation,
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
