//! Why a pod has no identity: the catalogue of checks, what each came to, and one verdict over all
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
    /// As it should be.
    Ok,
    /// Not looked at, because it does not apply or something else stands in the way.
    Skipped,
    /// It could not be found out.
    Unknown,
    /// Works, or may work, but somebody should look.
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
    /// It would explain what is seen, and so would other things.
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

/// What a check came to, on one object.
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
    /// What it rests on, line by line: outputs, values, codes; no secrets.
    pub evidence: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do here; the check's own remedy if none.
    pub next: Option<String>,
}

impl Outcome {
    /// A check that ended so, for certain.
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
        }
    }

    /// As it should be.
    #[must_use]
    pub fn ok(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Ok, message)
    }

    /// Does not work.
    #[must_use]
    pub fn problem(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Problem, message)
    }

    /// Somebody should look.
    #[must_use]
    pub fn warning(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Warning, message)
    }

    /// It could not be found out.
    #[must_use]
    pub fn unknown(check: &'static Check, message: impl Into<String>) -> Self {
        Self::new(check, State::Unknown, message)
    }

    /// Not looked at.
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

    /// Says how sure it is.
    #[must_use]
    pub fn sure(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn then(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// What to do: here, or whenever this check ends so. Empty if nothing is to be done.
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
