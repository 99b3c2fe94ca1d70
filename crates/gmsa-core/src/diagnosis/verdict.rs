//! The verdict: the faults, root causes first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::catalogue::cluster::WEBHOOK_DRIFT;
use super::{Check, Confidence, Outcome, State, all, find};

/// The overall state, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Everything that was checked is correct.
    Healthy,
    /// Nothing wrong was found, but not everything could be checked.
    Undecided,
    /// Something deserves attention.
    Troubled,
    /// Something does not work.
    Broken,
}

impl Health {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Undecided => "undecided",
            Self::Troubled => "troubled",
            Self::Broken => "broken",
        }
    }
}

/// A root cause, and its consequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause<'a> {
    /// What is wrong.
    pub outcome: &'a Outcome,
    /// How sure it is; surer than the outcome alone if what it would cause is seen too.
    pub confidence: Confidence,
    /// What follows from it, in the order of the catalogue.
    pub consequences: Vec<&'a Outcome>,
}

impl Cause<'_> {
    /// The worst of the cause and what follows from it.
    #[must_use]
    pub fn state(&self) -> State {
        let following = self.consequences.iter().map(|outcome| outcome.state);
        following.fold(self.outcome.state, State::max)
    }
}

/// The summary of all outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// The overall state.
    pub health: Health,
    /// The root causes: problems before warnings, and among
    /// these in the order of the catalogue.
    pub causes: Vec<Cause<'a>>,
    /// What could not be determined.
    pub unknown: Vec<&'a Outcome>,
}

impl<'a> Verdict<'a> {
    /// Judges outcomes, whatever their order.
    ///
    /// What is wrong and follows from nothing else that is wrong is a cause. A warning that is
    /// certain is a risk and explains nothing; one that is not is a suspicion, which what it
    /// explains confirms. Only a difference from what install makes is the same fault seen once more.
    #[must_use]
    pub fn of(outcomes: &'a [Outcome]) -> Self {
        let mut wrong: Vec<&Outcome> =
            outcomes.iter().filter(|outcome| outcome.state >= State::Warning).collect();
        wrong.sort_by_key(|outcome| rank(outcome.check));
        // Causes come before what they explain.
        let mut causes: Vec<(Cause<'a>, BTreeSet<&str>)> = Vec::new();
        for outcome in wrong {
            let known = causes.iter_mut().find(|(cause, explained)| {
                !outcome.is_chosen
                    && explained.contains(outcome.check.id)
                    && concerns(cause.outcome, outcome)
            });
            if let Some((cause, _)) = known {
                cause.consequences.push(outcome);
                cause.confidence = cause.confidence.max(Confidence::Likely);
                continue;
            }
            let explained = if may_explain(outcome) {
                reach(outcome.check)
            } else {
                let explains = outcome.check.explains.iter().copied();
                explains.filter(|id| *id == WEBHOOK_DRIFT.id).collect()
            };
            let confidence = outcome.confidence;
            causes.push((Cause { outcome, confidence, consequences: Vec::new() }, explained));
        }
        let mut causes: Vec<Cause<'a>> = causes.into_iter().map(|(cause, _)| cause).collect();
        causes.sort_by_key(|cause| Reverse(cause.state()));
        let unknown: Vec<&Outcome> =
            outcomes.iter().filter(|outcome| outcome.state == State::Unknown).collect();
        let health = match causes.first().map(Cause::state) {
            Some(State::Problem) => Health::Broken,
            Some(_) => Health::Troubled,
            None if unknown.is_empty() => Health::Healthy,
            None => Health::Undecided,
        };
        Self { health, causes, unknown }
    }
}

/// Whether what is wrong with one object can be why something is wrong with another: the trouble of an
/// account is not that of another account, nor a node's that of another node.
fn concerns(cause: &Outcome, outcome: &Outcome) -> bool {
    let (Some(one), Some(other)) = (&cause.object, &outcome.object) else { return true };
    let kind = |object: &str| object.split(' ').next().map(str::to_owned);
    one == other || kind(one) != kind(other)
}

fn may_explain(outcome: &Outcome) -> bool {
    outcome.state == State::Problem || outcome.confidence < Confidence::Certain
}

fn rank(check: &Check) -> usize {
    all().position(|one| one.id == check.id).unwrap_or(usize::MAX)
}

/// Everything that a check explains, by way of others too.
fn reach(check: &'static Check) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut open = check.explains.to_vec();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(find(id).map(|check| check.explains).unwrap_or_default());
        }
    }
    found
}
