//! What was found out about the names that a pod uses.

use std::fmt;
use std::sync::Arc;

use crate::credspec::Prepared;

/// Why something could not be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether time ran out (answered with code 504) rather than something failing (500).
    pub timed_out: bool,
    /// What failed, in one sentence that names the object and contains no secret.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What is known of one credential spec.
#[derive(Clone, Debug)]
pub enum SpecFact {
    /// It exists, and its contents are ready to be inlined.
    Found(Arc<Prepared>),
    /// It exists without a `credspec`, or with an empty one.
    Empty,
    /// No such resource.
    Absent,
    /// It could not be found out.
    Unknown(Failure),
}

impl SpecFact {
    /// Whether the resource is known to exist.
    #[must_use]
    pub fn exists(&self) -> bool {
        matches!(self, Self::Found(_) | Self::Empty)
    }
}

/// Whether a service account may `use` one credential spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// It may.
    Allowed,
    /// It may not.
    Denied,
    /// It could not be found out, which admits nothing.
    Unknown(Failure),
}

/// What is known so far about the names of one judgement.
#[derive(Debug)]
pub struct Facts {
    names: Vec<NameFacts>,
    hints: Vec<(String, Option<String>)>,
}

#[derive(Clone, Debug, Default)]
struct NameFacts {
    spec: Option<SpecFact>,
    live: bool,
    right: Option<Right>,
}

impl Facts {
    /// Nothing known yet about this many names.
    #[must_use]
    pub fn new(names: usize) -> Self {
        Self { names: vec![NameFacts::default(); names], hints: Vec::new() }
    }

    /// Records a credential spec, and whether it was read just now from the
    /// API server rather than from a store that may lag behind it.
    pub fn set_spec(&mut self, index: usize, spec: SpecFact, live: bool) {
        if let Some(name) = self.names.get_mut(index) {
            name.spec = Some(spec);
            name.live = live;
        }
    }

    /// Takes down whether the pod's service account may use a credential spec.
    pub fn set_right(&mut self, index: usize, right: Right) {
        if let Some(name) = self.names.get_mut(index) {
            name.right = Some(right);
        }
    }

    /// Takes down which name was probably meant, if any.
    pub fn set_hint(&mut self, name: &str, hint: Option<String>) {
        self.hints.push((name.to_owned(), hint));
    }

    pub(super) fn spec(&self, index: usize) -> Option<&SpecFact> {
        self.names.get(index).and_then(|name| name.spec.as_ref())
    }

    pub(super) fn is_live(&self, index: usize) -> bool {
        self.names.get(index).is_some_and(|name| name.live)
    }

    pub(super) fn right(&self, index: usize) -> Option<&Right> {
        self.names.get(index).and_then(|name| name.right.as_ref())
    }

    /// Whether a similar name was searched for.
    pub(super) fn has_looked_for_hint(&self, name: &str) -> bool {
        self.hints.iter().any(|(asked, _)| asked == name)
    }

    /// The hint that was found.
    pub(super) fn hint(&self, name: &str) -> Option<&str> {
        self.hints.iter().find(|(asked, _)| asked == name)?.1.as_deref()
    }
}
