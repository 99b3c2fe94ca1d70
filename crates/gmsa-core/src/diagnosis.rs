//! Why a pod has no identity: the catalogue of checks, the outcome of each, and one verdict over all
//! of them.

pub mod catalogue;
pub mod inside;
pub mod limits;
pub mod node;
mod page;
mod verdict;

use std::fmt;

pub use catalogue::{Check, Side, all, find};
pub use page::checks_page;
pub use verdict::{Cause, Health, Verdict};

/// How a check ended, the least alarming first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Correct.
    Ok,
    /// Not checked, because it does not apply or something else prevents it.
    Skipped,
    /// It could not be determined.
    Unknown,
    /// Works, or may work, but deserves attention.
    Warning,
    /// Does not work, or is not safe.
    Problem,
}

impl State {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How sure an outcome is, the least sure first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It would explain the symptoms, but so would other causes.
    Possible,
    /// Most who see this have this.
    Likely,
    /// It was seen.
    Certain,
}

impl Confidence {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The outcome of a check on one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The check.
    pub check: &'static Check,
    /// How it ended.
    pub state: State,
    /// On what, such as `Deployment gmsa-webhook/gmsa-webhook`.
    pub object: Option<String>,
    /// What was seen: one sentence without a secret.
    pub message: String,
    /// The evidence, line by line: outputs, values, codes; no secrets.
    pub evidence: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do here; the check's own remedy if none.
    pub next: Option<String>,
    /// Whether nothing else explains it: it is what was asked for.
    pub is_chosen: bool,
}

impl Outcome {
    /// A check that ended in this state, for certain.
    #[must_use]
    pub fn new(check: &'static Check, state: State, message: impl Into<String>) -> Self {
        Self {
            check,
            state,
            object: None,
            message: message.into(),
            evidence: Vec::new(),
            confidence: Confidence::Certain,
            next: None,
            is_chosen: false,
        }
    }

    /// The same as what was asked for, which no other fault explains.
    #[must_use]
    pub fn chosen(mut self) -> Self {
        self.is_chosen = true;
        self
    }

    /// Correct.
    #[must_use]
    pub fn ok(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Ok, message)
    }

    /// Does not work.
    #[must_use]
    pub fn problem(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Problem, message)
    }

    /// Works, or may work, but deserves attention.
    #[must_use]
    pub fn warning(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Warning, message)
    }

    /// It could not be determined.
    #[must_use]
    pub fn unknown(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Unknown, message)
    }

    /// Not checked.
    #[must_use]
    pub fn skipped(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Skipped, message)
    }

    /// Names the object.
    #[must_use]
    pub fn on(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    /// Adds a line of evidence.
    #[must_use]
    pub fn because(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// Sets how sure it is.
    #[must_use]
    pub fn sure(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn then(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// What to do: the outcome's own next step, or the remedy of the check. Empty if there is nothing to do.
    #[must_use]
    pub fn next_step(&self) -> &str {
        match self.state {
            State::Problem | State::Warning => self.next.as_deref().unwrap_or(self.check.remedy),
            State::Ok | State::Skipped | State::Unknown => self.next.as_deref().unwrap_or(""),
        }
    }
}

#[cfg(test)]
mod tests;
