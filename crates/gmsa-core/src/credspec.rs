//! Credential specs: the model, the canonical JSON, comparison and findings.

/// A credential spec's contents, ready to be inlined into a pod.
#[derive(Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The canonical JSON of the `credspec` object.
    pub json: Box<str>,
    /// How many findings of severity warning or error it has.
    pub findings: u16,
}
