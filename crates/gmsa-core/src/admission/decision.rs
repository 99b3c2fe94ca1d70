//! What is answered.

use super::denial::Denial;
use super::patch::Operation;
use crate::finding::Finding;

/// The answer to one request.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Whether it is allowed, and how.
    pub outcome: Outcome,
    /// What the person who sent the request should know all the same.
    pub warnings: Vec<Finding>,
    /// The distinct credential specs that were asked for, with commas between them, for the audit
    /// log.
    pub credential_specs: String,
    /// The places that were judged, with commas between them, for the audit log.
    pub places: String,
}

/// Allowed or denied.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Allowed with these changes, mostly none.
    Allow(Vec<Operation>),
    /// Denied for at least one reason; the first gives the code.
    Deny(Vec<Denial>),
}

impl Decision {
    /// Allowed unchanged, without warnings.
    #[must_use]
    pub fn allow() -> Self {
        Self::new(Outcome::Allow(Vec::new()))
    }

    /// Denied.
    #[must_use]
    pub fn deny(denials: Vec<Denial>) -> Self {
        Self::new(Outcome::Deny(denials))
    }

    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            warnings: Vec::new(),
            credential_specs: String::new(),
            places: String::new(),
        }
    }

    /// Whether the request is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self.outcome, Outcome::Allow(_))
    }

    /// The denials; none if the request is allowed.
    #[must_use]
    pub fn denials(&self) -> &[Denial] {
        match &self.outcome {
            Outcome::Allow(_) => &[],
            Outcome::Deny(denials) => denials,
        }
    }

    /// The changes; none if the request is denied.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        match &self.outcome {
            Outcome::Allow(operations) => operations,
            Outcome::Deny(_) => &[],
        }
    }
}
