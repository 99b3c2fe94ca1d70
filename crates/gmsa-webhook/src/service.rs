//! From a body to an answer: gathers the facts that a decision needs, and nothing else.

mod early;
mod hostname;
mod source;
mod store_dir;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use gmsa_core::admission::{
    Decision, Denial, Facts, Judgement, MAX_PLACES, Plan, Question, Reason, Request, Right,
    SpecFact, Step, decide, plan,
};
use gmsa_core::credspec::name::{closest, is_valid_name};

pub use source::Source;
pub use store_dir::{Error as StoreError, StoreDir};

use crate::http::{Answer, Endpoint, Handler};
use crate::metrics::Metrics;
use crate::wire::{self, Malformed, Review};

/// A pod asks at most this many rounds of questions: store, live, rights, hints, and the right to
/// what a hint names.
const MAX_ROUNDS: usize = 8;

/// Answers AdmissionReviews.
pub struct Service {
    source: Source,
    metrics: Arc<Metrics>,
    deadline: Duration,
    random_hostname: bool,
    max_places: usize,
}

impl Service {
    /// Makes the service. `deadline` is how long one answer may take.
    #[must_use]
    pub fn new(
        source: Source,
        metrics: Arc<Metrics>,
        deadline: Duration,
        random_hostname: bool,
    ) -> Self {
        Self { source, metrics, deadline, random_hostname, max_places: MAX_PLACES }
    }

    /// The same with another limit on the places of one pod that may use a GMSA.
    #[must_use]
    pub fn with_max_places(self, max_places: usize) -> Self {
        Self { max_places, ..self }
    }

    /// How long an answer may take whose caller waits for so long: a fifth of that is left for the
    /// way.
    fn patience(&self, timeout: Option<Duration>) -> Duration {
        timeout
            .map_or(self.deadline, |timeout| self.deadline.min(timeout.saturating_sub(timeout / 5)))
    }

    /// What must be known to decide a request. `hostname` is where a random hostname stands that
    /// the pod may get.
    fn plan<'r>(
        &self,
        step: Step,
        review: &'r Review<'_>,
        hostname: &'r mut Option<String>,
    ) -> Plan<'r> {
        let deny = |reason, why: String| {
            Plan::Decided(Decision::deny(vec![Denial::of_request(reason, why)]))
        };
        if let Some(why) = review.unreadable() {
            return deny(Reason::MalformedRequest, why.to_owned());
        }
        if self.random_hostname && step == Step::Mutate {
            match hostname::random() {
                Ok(random) => *hostname = Some(random),
                Err(error) => {
                    let why = format!("failed to make a random hostname: {error}");
                    return deny(Reason::Undecided, why);
                }
            }
        }
        let request = review.to_request(step, hostname.as_deref());
        plan(&Request { max_places: self.max_places, ..request })
    }

    /// Answers with what is at hand, as of `began`; or gives the facts so far, if somebody has to
    /// be asked.
    fn at_once(
        &self,
        endpoint: Endpoint,
        body: &Bytes,
        began: Instant,
    ) -> Result<Answer, Option<Facts>> {
        let step = step(endpoint).ok_or(None)?;
        let review = match wire::decode(body) {
            Ok(review) => review,
            Err(malformed) => return Ok(self.malformed(endpoint, &malformed, began)),
        };
        let decision = match self.plan(step, &review, &mut None) {
            Plan::Decided(decision) => decision,
            Plan::Judge(judgement) => {
                let mut facts = Facts::new(judgement.names().len());
                if !self.open_questions(&judgement, &mut facts, began).is_empty() {
                    return Err(Some(facts));
                }
                decide(&judgement, &facts)
            }
        };
        Ok(self.answer_with(endpoint, &review, &decision, began))
    }

    /// Answers when everything is found out, or the time is over.
    async fn at_length(
        &self,
        endpoint: Endpoint,
        body: Bytes,
        facts: Option<Facts>,
        began: Instant,
        patience: Duration,
    ) -> Answer {
        let Some(step) = step(endpoint) else {
            return self.warn(endpoint, &body, began, patience).await;
        };
        let review = match wire::decode(&body) {
            Ok(review) => review,
            Err(malformed) => return self.malformed(endpoint, &malformed, began),
        };
        let mut hostname = None;
        let plan = self.plan(step, &review, &mut hostname);
        let deadline = began + patience;
        let deciding = self.judge(step, plan, facts, deadline);
        // The facts' own deadlines end first; this one holds whatever they do.
        let late = deadline + Duration::from_millis(100);
        let decision = tokio::time::timeout_at(late.into(), deciding).await.unwrap_or_else(|_| {
            Decision::deny(vec![Denial::of_request(
                Reason::Timeout,
                format!("failed to decide within {} ms; try again", patience.as_millis()),
            )])
        });
        self.answer_with(endpoint, &review, &decision, began)
    }

    /// Takes down what is at hand at this moment, and gives the questions for which somebody has
    /// to be asked; none if the facts are complete.
    // Reading the clock costs as much as looking something up, so the time is passed on.
    fn open_questions<'j>(
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
                    Some(answer) => answer.note(facts),
                    None => open.push(question),
                }
            }
            if !open.is_empty() {
                return open;
            }
        }
    }

    /// Decides with the facts so far and what else has to be known.
    async fn judge(
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

    /// Asks until the facts are complete. All has to be there by the deadline.
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
                answer.note(&mut facts);
            }
        }
        facts
    }

    /// The answer, if it is at hand without asking anybody.
    fn answer_now<'q>(
        &self,
        judgement: &Judgement<'_>,
        question: Question<'q>,
        now: Instant,
    ) -> Option<Answered<'q>> {
        match question {
            Question::Spec { index, name } => self
                .source
                .spec_now(name, now)
                .map(|fact| Answered::Spec { index, fact, live: self.source.is_live() }),
            Question::Right { index, name } => self
                .source
                .right_now(judgement.namespace(), judgement.service_account(), name, now)
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
                let fact = match self.source.spec_live(name, deadline).await {
                    // Inlining what was last known is safe: validation compares it once more.
                    SpecFact::Unknown(failure) if step == Step::Mutate => self
                        .source
                        .spec_last_known(name)
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
            Question::LowerCaseHint { name } => {
                let lower = name.to_lowercase();
                let exists = is_valid_name(&lower) && self.exists(&lower, deadline).await;
                Answered::Hint { name, hint: exists.then_some(lower) }
            }
            Question::CloseHint { name } => {
                let names = self.source.names();
                let close = closest(name, names.iter().map(String::as_str));
                let hint = match close {
                    Some(close)
                        if self.source.right(namespace, account, close, deadline).await
                            == Right::Allowed =>
                    {
                        Some(close.to_owned())
                    }
                    _ => None,
                };
                Answered::Hint { name, hint }
            }
        }
    }

    async fn exists(&self, name: &str, deadline: Instant) -> bool {
        let fact = match self.source.spec_now(name, Instant::now()) {
            Some(fact) => fact,
            None => self.source.spec_live(name, deadline).await,
        };
        matches!(fact, SpecFact::Found(_) | SpecFact::Empty)
    }

    fn note(&self, endpoint: Endpoint, review: &Review<'_>, decision: &Decision, began: Instant) {
        let code = decision.denials().first().map_or(200, |denial| denial.reason.code());
        self.metrics.admission(
            endpoint,
            review.operation(),
            decision.is_allowed(),
            code,
            began.elapsed().as_secs_f64(),
        );
        if decision.is_allowed() {
            tracing::debug!(
                namespace = review.namespace(),
                pod = review.pod().map(gmsa_core::pod::Pod::display_name),
                credential_specs = decision.credential_specs,
                "admitted"
            );
            return;
        }
        let reasons: Vec<&str> =
            decision.denials().iter().map(|denial| denial.reason.id()).collect();
        let owner = review.pod().and_then(gmsa_core::pod::Pod::controller);
        let owner = owner.map(|(kind, name)| format!("{kind}/{name}"));
        tracing::info!(
            endpoint = endpoint.as_str(),
            namespace = review.namespace(),
            pod = review.pod().map(gmsa_core::pod::Pod::display_name),
            owner,
            places = decision.places,
            credential_specs = decision.credential_specs,
            code,
            reasons = ?reasons,
            "denied"
        );
    }
}

impl Handler for Service {
    async fn review(&self, endpoint: Endpoint, body: Bytes, timeout: Option<Duration>) -> Answer {
        let began = Instant::now();
        match self.at_once(endpoint, &body, began) {
            Ok(answer) => answer,
            // Boxed, because a future is copied several times on its way, and this one is large.
            Err(facts) => {
                let patience = self.patience(timeout);
                Box::pin(self.at_length(endpoint, body, facts, began, patience)).await
            }
        }
    }

    fn refuse(&self, endpoint: Endpoint, body: &Bytes) -> Answer {
        let began = Instant::now();
        if step(endpoint).is_none() {
            return self.let_pass(endpoint, body, began);
        }
        match wire::decode(body) {
            Ok(review) => {
                let decision = Decision::deny(vec![Denial::of_request(
                    Reason::Overload,
                    "the GMSA webhook has as many requests in hand as it takes; try again",
                )]);
                self.answer_with(endpoint, &review, &decision, began)
            }
            Err(malformed) => self.malformed(endpoint, &malformed, began),
        }
    }

    fn turned_away(&self, endpoint: Endpoint) {
        self.metrics.admission(endpoint, "", false, Reason::Overload.code(), 0.0);
        tracing::warn!(
            endpoint = endpoint.as_str(),
            "refused a request unread: too many bytes of requests are in hand"
        );
    }

    fn ready(&self) -> Result<(), String> {
        self.source.ready()
    }
}

impl Service {
    fn answer_with(
        &self,
        endpoint: Endpoint,
        review: &Review<'_>,
        decision: &Decision,
        began: Instant,
    ) -> Answer {
        self.note(endpoint, review, decision, began);
        Answer::Review(wire::encode(review.uid(), decision).into())
    }

    fn malformed(&self, endpoint: Endpoint, malformed: &Malformed, began: Instant) -> Answer {
        self.metrics.admission(endpoint, "", false, 400, began.elapsed().as_secs_f64());
        tracing::warn!(endpoint = endpoint.as_str(), error = %malformed, "malformed request");
        Answer::Malformed(wire::encode_malformed(malformed).into())
    }
}

/// An answer to a question, to be noted among the facts.
enum Answered<'q> {
    Spec { index: usize, fact: SpecFact, live: bool },
    Right { index: usize, right: Right },
    Hint { name: &'q str, hint: Option<String> },
}

impl Answered<'_> {
    fn note(self, facts: &mut Facts) {
        match self {
            Self::Spec { index, fact, live } => facts.set_spec(index, fact, live),
            Self::Right { index, right } => facts.set_right(index, right),
            Self::Hint { name, hint } => facts.set_hint(name, hint),
        }
    }
}

/// The step that an endpoint is; none if it only warns.
fn step(endpoint: Endpoint) -> Option<Step> {
    match endpoint {
        Endpoint::Mutate => Some(Step::Mutate),
        Endpoint::Validate => Some(Step::Validate),
        Endpoint::Warn | Endpoint::ValidateCredspec => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_takes_less_time_than_its_caller_has() {
        let store = StoreDir::from_manifests("").unwrap();
        let (source, metrics) = (Source::Directory(store), Arc::new(Metrics::new()));
        let service = Service::new(source, metrics, Duration::from_secs(4), false);
        for (timeout, patience) in [
            (None, 4_000),
            (Some(30_000), 4_000),
            (Some(5_000), 4_000),
            (Some(4_000), 3_200),
            (Some(1_000), 800),
        ] {
            let patience = Duration::from_millis(patience);
            assert_eq!(service.patience(timeout.map(Duration::from_millis)), patience);
        }
    }
}
