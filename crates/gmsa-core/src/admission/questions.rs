//! From a judgement and the facts so far to what must still be found out.

use super::denial::Reason;
use super::facts::{Facts, SpecFact};
use super::plan::Judgement;
use super::request::Step;
use super::verdict::{Finding, findings};
use crate::credspec::name::{closest, is_valid_name};

/// Something that must be found out before a decision can be made.
///
/// All questions of one round can be answered side by side. Answers go into [`Facts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// What is the credential spec of this name? A current store will do.
    Spec {
        /// The position among the judgement's names.
        index: usize,
        /// The name.
        name: &'a str,
    },
    /// What is the credential spec of this name, read now? Asked before a denial that rests on
    /// the store's content, because a store may lag behind an object created or changed just before.
    LiveSpec {
        /// The position among the judgement's names.
        index: usize,
        /// The name.
        name: &'a str,
    },
    /// May the service account use the credential spec of this name?
    Right {
        /// The position among the judgement's names.
        index: usize,
        /// The name.
        name: &'a str,
    },
    /// Which existing name was meant by this invalid one? See [`Self::candidate`].
    LowerCaseHint {
        /// The invalid name.
        name: &'a str,
    },
    /// Which existing name is close to this one? See [`Self::candidate`].
    CloseHint {
        /// The name that does not exist.
        name: &'a str,
    },
}

/// A name that was probably meant by another, if the condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// If there is a credential spec of this name.
    IfItExists(String),
    /// If the service account may use the credential spec of this name.
    IfUsable(String),
}

impl Question<'_> {
    /// Which name may be the hint that this question asks for, given the names that exist. None for
    /// other questions, and where no name is near enough.
    pub fn candidate(&self, names: impl FnOnce() -> Vec<String>) -> Option<Candidate> {
        match self {
            Self::LowerCaseHint { name } => {
                let lower = Some(name.to_lowercase()).filter(|lower| is_valid_name(lower));
                lower.map(Candidate::IfItExists)
            }
            Self::CloseHint { name } => {
                let names = names();
                let close = closest(name, names.iter().map(String::as_str));
                close.map(|close| Candidate::IfUsable(close.to_owned()))
            }
            Self::Spec { .. } | Self::LiveSpec { .. } | Self::Right { .. } => None,
        }
    }
}

impl<'a> Judgement<'a> {
    /// What must still be found out; empty when [`decide`](super::decide) can be called.
    ///
    /// Each round asks only what the answers so far leave open, so a pod that is admitted costs one
    /// round, and a denial that rests on the store costs a live read.
    #[must_use]
    pub fn questions(&self, facts: &Facts) -> Vec<Question<'a>> {
        let mut questions = Vec::new();
        for (index, &name) in self.names.iter().enumerate() {
            if facts.spec(index).is_none() {
                questions.push(Question::Spec { index, name });
            }
            if self.step == Step::Validate && facts.right(index).is_none() {
                questions.push(Question::Right { index, name });
            }
        }
        if !questions.is_empty() {
            return questions;
        }
        let found = findings(self, facts);
        if found.is_empty() {
            return questions;
        }
        self.ask_live(facts, &found, &mut questions);
        if !questions.is_empty() {
            return questions;
        }
        if self.step == Step::Mutate {
            self.ask_rights(facts, &mut questions);
            if !questions.is_empty() {
                return questions;
            }
        }
        for finding in &found {
            let Some(name) = finding.reference.name else { continue };
            if facts.has_looked_for_hint(name) {
                continue;
            }
            match finding.reason {
                Reason::NameInvalid => questions.push(Question::LowerCaseHint { name }),
                Reason::NotFound => questions.push(Question::CloseHint { name }),
                // For a name that does not exist the right is rarely the problem.
                Reason::NotAuthorized if self.is_absent(name, facts) => {
                    questions.push(Question::CloseHint { name });
                }
                _ => {}
            }
        }
        questions.dedup();
        questions
    }

    fn is_absent(&self, name: &str, facts: &Facts) -> bool {
        let index = self.names.iter().position(|known| *known == name);
        matches!(index.and_then(|index| facts.spec(index)), Some(SpecFact::Absent))
    }

    fn ask_live(&self, facts: &Facts, found: &[Finding<'a>], questions: &mut Vec<Question<'a>>) {
        for (index, &name) in self.names.iter().enumerate() {
            let doubtful = found.iter().any(|finding| {
                finding.reference.name == Some(name)
                    && matches!(
                        finding.reason,
                        Reason::NotFound
                            | Reason::Empty
                            | Reason::Mismatch
                            | Reason::ContentsTooLarge
                    )
            });
            if doubtful && !facts.is_live(index) {
                questions.push(Question::LiveSpec { index, name });
            }
        }
    }

    fn ask_rights(&self, facts: &Facts, questions: &mut Vec<Question<'a>>) {
        for (index, &name) in self.names.iter().enumerate() {
            if facts.right(index).is_none() {
                questions.push(Question::Right { index, name });
            }
        }
    }
}
