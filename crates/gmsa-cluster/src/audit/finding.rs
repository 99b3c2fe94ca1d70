//! One thing that an audit found.

use std::fmt;

use gmsa_core::finding::{self, Code};

/// An object, shown as `Pod shop/web` or `Namespace shop`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// The kind.
    pub kind: String,
    /// The namespace; none for kinds that have none.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// One thing that was found on one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The object.
    pub object: Object,
    /// The kind of finding, which has its severity.
    pub code: Code,
    /// What was found, in one sentence without the values of secrets.
    pub message: String,
    /// By what it is seen: places, fields, ways.
    pub evidence: Vec<String>,
    /// What to do.
    pub remedy: String,
}

impl Object {
    /// An object without a namespace.
    #[must_use]
    pub fn cluster(kind: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), namespace: None, name: name.to_owned() }
    }

    /// An object in a namespace.
    #[must_use]
    pub fn namespaced(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), namespace: Some(namespace.to_owned()), name: name.to_owned() }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl Finding {
    /// A finding with the usual remedy.
    #[must_use]
    pub fn new(object: &Object, code: Code, message: String) -> Self {
        let remedy = code.remedy().to_owned();
        Self { object: object.clone(), code, message, evidence: Vec::new(), remedy }
    }

    /// What was found in an object; where is the evidence.
    #[must_use]
    pub fn on(object: &Object, found: finding::Finding) -> Self {
        Self::new(object, found.code, found.message).with_evidence(found.path.into_iter().collect())
    }

    pub(super) fn with_evidence(mut self, evidence: Vec<String>) -> Self {
        self.evidence = evidence;
        self
    }

    pub(super) fn with_remedy(mut self, remedy: String) -> Self {
        self.remedy = remedy;
        self
    }
}
