//! What is asked: the part of an `AdmissionRequest` that a decision needs.

use super::denial::MAX_PLACES;
use crate::pod::Pod;

/// Which of the two admission steps asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Fill in contents.
    Mutate,
    /// Judge the final object.
    Validate,
}

/// The operation of an admission request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `CREATE`.
    Create,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `CONNECT`.
    Connect,
}

impl Operation {
    /// Reads the operation as the API server writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "CREATE" => Some(Self::Create),
            "UPDATE" => Some(Self::Update),
            "DELETE" => Some(Self::Delete),
            "CONNECT" => Some(Self::Connect),
            _ => None,
        }
    }
}

/// An admission request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Which step asks.
    pub step: Step,
    /// The operation; `None` if it is none that Kubernetes knows.
    pub operation: Option<Operation>,
    /// The API group of the object; empty for `core`.
    pub group: &'a str,
    /// The kind of the object.
    pub kind: &'a str,
    /// The subresource; empty for none.
    pub subresource: &'a str,
    /// The namespace of the request, which is the only one that counts.
    pub namespace: &'a str,
    /// The object, absent on `DELETE`.
    pub object: Option<&'a Pod<'a>>,
    /// The object as it was, on `UPDATE`.
    pub old_object: Option<&'a Pod<'a>>,
    /// A fresh hostname for the pod, if random hostnames are wanted.
    pub random_hostname: Option<&'a str>,
    /// How many fields of the pod may use a GMSA.
    pub max_places: usize,
}

impl<'a> Request<'a> {
    /// The creation of a pod, as a step is asked about it.
    #[must_use]
    pub fn creation(step: Step, namespace: &'a str, pod: &'a Pod<'a>) -> Self {
        Self {
            step,
            operation: Some(Operation::Create),
            group: "",
            kind: "Pod",
            subresource: "",
            namespace,
            object: Some(pod),
            old_object: None,
            random_hostname: None,
            max_places: MAX_PLACES,
        }
    }
}
