//! What was found out about the names that a pod uses.

use std::fmt;
use std::sync::Arc;

use crate::credspec::Prepared;

/// Why something could not be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether time ran out (answered with code 504) rather than something failing (500).
    pub timed_out: bool,
    /// What failed, in one sentence that names the object and holds no secret.
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
