//! The facts that a decision needs: those known here at once, and those that the API server has to
//! be asked for.

use std::time::Instant;

use futures::future::join_all;
use gmsa_core::admission::{
    Candidate, Decision, Facts, Judgement, Plan, Question, Right, SpecFact, Step, decide,
};

use super::source::Source;

/// The most rounds of questions that a pod asks: store, live, rights, hints, and the right to what a
/// hint names.
const MAX_ROUNDS: usize = 8;

/// Gathers the facts for decisions.
#[derive(Clone)]
pub struct Gatherer {
    source: Source,
}

impl Gatherer {
    /// Gathers from this source.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self { source }
    }

    /// The source of the facts.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Records the facts that are known here now, and returns the questions that are left; none if
    /// the facts are complete.
    // Reading the clock costs as much as a look-up, so the time is passed in.
    pub(super) fn open_questions<'j>(
        &self,
        judgement: &'j Judgement<'_>,
        facts: &mut Facts,
        now: Instant,
    ) -> Vec<Question<'j>> {
        loop {
            let questions = judgement.questions(facts);
            if questions.is_empty() {
                return questions;
            }
            let mut open = Vec::new();
            for question in questions {
                match self.answer_now(judgement, question, now) {
                    Some(answer) => answer.record(facts),
                    None => open.push(question),
                }
            }
            if !open.is_empty() {
                return open;
            }
        }
    }

    /// Decides with the facts so far and those still to be gathered, by the deadline.
    pub(crate) async fn judge(
        &self,
        step: Step,
        plan: Plan<'_>,
        facts: Option<Facts>,
        deadline: Instant,
    ) -> Decision {
        match plan {
            Plan::Decided(decision) => decision,
            Plan::Judge(judgement) => {
                let facts = facts.unwrap_or_else(|| Facts::new(judgement.names().len()));
                decide(&judgement, &self.gather(step, &judgement, facts, deadline).await)
            }
        }
    }

    /// Asks until the facts are complete, or the deadline has passed.
    async fn gather(
        &self,
        step: Step,
        judgement: &Judgement<'_>,
        mut facts: Facts,
        deadline: Instant,
    ) -> Facts {
        for _ in 0..MAX_ROUNDS {
            let open = self.open_questions(judgement, &mut facts, Instant::now());
            if open.is_empty() {
                break;
            }
            let asked =
                open.into_iter().map(|question| self.answer(step, judgement, question, deadline));
            for answer in join_all(asked).await {
                answer.record(&mut facts);
            }
        }
        facts
    }

    /// The answer, if it is known here.
    fn answer_now<'q>(
        &self,
        judgement: &Judgement<'_>,
        question: Question<'q>,
        now: Instant,
    ) -> Option<Answered<'q>> {
        match question {
            Question::Spec { index, name } => self
                .source
                .cached_spec(name, now)
                .map(|fact| Answered::Spec { index, fact, live: self.source.is_live() }),
            Question::Right { index, name } => self
                .source
                .cached_right(judgement.namespace(), judgement.service_account(), name, now)
                .map(|right| Answered::Right { index, right }),
            _ => None,
        }
    }

    async fn answer<'q>(
        &self,
        step: Step,
        judgement: &Judgement<'_>,
        question: Question<'q>,
        deadline: Instant,
    ) -> Answered<'q> {
        let (namespace, account) = (judgement.namespace(), judgement.service_account());
        match question {
            Question::Spec { index, name } | Question::LiveSpec { index, name } => {
                let fact = match self.source.read_spec(name, deadline).await {
                    // Inlining the last known contents is safe: validation compares them again.
                    SpecFact::Unknown(failure) if step == Step::Mutate => self
                        .source
                        .last_known_spec(name)
                        .filter(|known| matches!(known, SpecFact::Found(_)))
                        .unwrap_or(SpecFact::Unknown(failure)),
                    fact => fact,
                };
                Answered::Spec { index, fact, live: true }
            }
            Question::Right { index, name } => {
                let right = self.source.right(namespace, account, name, deadline).await;
                Answered::Right { index, right }
            }
            Question::LowerCaseHint { name } | Question::CloseHint { name } => {
                let hint = match question.candidate(|| self.source.names()) {
                    Some(Candidate::IfItExists(hint)) => {
                        self.exists(&hint, deadline).await.then_some(hint)
                    }
                    Some(Candidate::IfUsable(hint)) => {
                        let right = self.source.right(namespace, account, &hint, deadline).await;
                        (right == Right::Allowed).then_some(hint)
                    }
                    None => None,
                };
                Answered::Hint { name, hint }
            }
        }
    }

    async fn exists(&self, name: &str, deadline: Instant) -> bool {
        let fact = match self.source.cached_spec(name, Instant::now()) {
            Some(fact) => fact,
            None => self.source.read_spec(name, deadline).await,
        };
        fact.exists()
    }
}

/// An answer to a question, to be recorded as a fact.
enum Answered<'q> {
    Spec { index: usize, fact: SpecFact, live: bool },
    Right { index: usize, right: Right },
    Hint { name: &'q str, hint: Option<String> },
}

impl Answered<'_> {
    fn record(self, facts: &mut Facts) {
        match self {
            Self::Spec { index, fact, live } => facts.set_spec(index, fact, live),
            Self::Right { index, right } => facts.set_right(index, right),
            Self::Hint { name, hint } => facts.set_hint(name, hint),
        }
    }
}
