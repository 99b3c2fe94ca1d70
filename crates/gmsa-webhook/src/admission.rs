//! The decision about a pod: from a body to an answer of `/mutate` or `/validate`.

mod facts;
mod hostname;
mod source;
mod store_dir;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use gmsa_core::admission::{
    Decision, Denial, Facts, MAX_PLACES, Plan, Reason, Request, Step, decide, plan,
};
use gmsa_core::pod::Pod;

pub use facts::Gatherer;
pub use source::Source;
pub use store_dir::{Error as StoreError, StoreDir};

use crate::http::{Answer, Endpoint, Slot};
use crate::metrics::{Metrics, Outcome};
use crate::wire::{self, Malformed, Review};

/// How much memory the decoded requests that wait for the API server may take, in bytes, over all
/// requests. Their bodies have a separate limit.
const MAX_WAITING: usize = 16 << 20;

/// The code with which a probe must be refused; another denial of it counts as that of any pod.
const PROBED: u16 = 422;

/// The options of decisions.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long one answer may take.
    pub deadline: Duration,
    /// Whether pods that use a GMSA and set no hostname get a random one.
    pub random_hostname: bool,
    /// How many fields of one pod may name a GMSA.
    pub max_places: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(4), random_hostname: false, max_places: MAX_PLACES }
    }
}

/// Answers `/mutate` and `/validate`.
pub struct Admission {
    gatherer: Gatherer,
    metrics: Arc<Metrics>,
    settings: Settings,
    /// How much memory the requests that wait take, in bytes.
    waiting: AtomicUsize,
}

/// The result without asking the API server.
pub enum AtOnce {
    /// The answer.
    Answered(Answer),
    /// The facts so far; others have to be asked for.
    Incomplete(Facts),
}

impl Admission {
    pub(crate) fn new(gatherer: Gatherer, metrics: Arc<Metrics>, settings: Settings) -> Self {
        Self { gatherer, metrics, settings, waiting: AtomicUsize::new(0) }
    }

    /// Answers from the facts that are known here, if they suffice. `began` is when the body was
    /// complete.
    pub(crate) fn at_once(
        &self,
        step: Step,
        body: &[u8],
        began: Instant,
    ) -> Result<AtOnce, Malformed> {
        let review = wire::decode(body)?;
        let decision = match self.plan(step, &review, &mut None) {
            Plan::Decided(decision) => decision,
            Plan::Judge(judgement) => {
                let mut facts = Facts::new(judgement.names().len());
                if !self.gatherer.open_questions(&judgement, &mut facts, began).is_empty() {
                    return Ok(AtOnce::Incomplete(facts));
                }
                decide(&judgement, &facts)
            }
        };
        Ok(AtOnce::Answered(self.answer(step, &review, &decision, began)))
    }

    /// Answers when every fact is known, or when the time is over.
    pub(crate) async fn at_length(
        &self,
        step: Step,
        body: &[u8],
        facts: Facts,
        began: Instant,
        patience: Duration,
    ) -> Result<Answer, Malformed> {
        let review = wire::decode(body)?;
        let Some(_slot) = Slot::take(&self.waiting, review.list_bytes(), MAX_WAITING) else {
            return Ok(self.overloaded(step, &review, began));
        };
        let mut hostname = None;
        let plan = self.plan(step, &review, &mut hostname);
        let deadline = began + patience;
        let deciding = self.gatherer.judge(step, plan, Some(facts), deadline);
        // The facts have their own, earlier deadlines; this one is a safeguard.
        let late = deadline + Duration::from_millis(100);
        let decision = tokio::time::timeout_at(late.into(), deciding).await.unwrap_or_else(|_| {
            Decision::deny(vec![Denial::of_request(
                Reason::Timeout,
                format!("failed to decide within {} ms; try again", patience.as_millis()),
            )])
        });
        Ok(self.answer(step, &review, &decision, began))
    }

    /// Denies a request because too many are in flight.
    pub(crate) fn refuse(
        &self,
        step: Step,
        body: &[u8],
        began: Instant,
    ) -> Result<Answer, Malformed> {
        Ok(self.overloaded(step, &wire::decode(body)?, began))
    }

    fn overloaded(&self, step: Step, review: &Review<'_>, began: Instant) -> Answer {
        let decision = Decision::deny(vec![Denial::of_request(
            Reason::Overload,
            "the GMSA webhook has reached its limit of requests in flight; try again",
        )]);
        self.answer(step, review, &decision, began)
    }

    /// What must be known to decide a request. `hostname` holds the random hostname that the pod
    /// may get.
    fn plan<'r>(
        &self,
        step: Step,
        review: &'r Review<'_>,
        hostname: &'r mut Option<String>,
    ) -> Plan<'r> {
        let deny = |reason, why: String| {
            Plan::Decided(Decision::deny(vec![Denial::of_request(reason, why)]))
        };
        if let Some(unreadable) = review.unreadable() {
            return deny(unreadable.reason, unreadable.message.clone());
        }
        if self.settings.random_hostname && step == Step::Mutate {
            match hostname::random() {
                Ok(random) => *hostname = Some(random),
                Err(error) => {
                    let why = format!("failed to make a random hostname: {error}");
                    return deny(Reason::Undecided, why);
                }
            }
        }
        let request = review.to_request(step, hostname.as_deref());
        plan(&Request { max_places: self.settings.max_places, ..request })
    }

    fn answer(
        &self,
        step: Step,
        review: &Review<'_>,
        decision: &Decision,
        began: Instant,
    ) -> Answer {
        self.record(endpoint(step), review, decision, began);
        Answer::Review(wire::encode(review.uid(), decision).into())
    }

    /// Counts and logs a decision.
    fn record(&self, endpoint: Endpoint, review: &Review<'_>, decision: &Decision, began: Instant) {
        let code = decision.denials().first().map_or(200, |denial| denial.reason.code());
        let outcome = if decision.is_allowed() {
            Outcome::Allowed
        } else if code == PROBED && review.is_probe() {
            Outcome::Probed
        } else {
            Outcome::Denied
        };
        let seconds = began.elapsed().as_secs_f64();
        self.metrics.admission(endpoint, review.operation(), outcome, code, seconds);
        if decision.is_allowed() {
            tracing::debug!(
                namespace = review.namespace(),
                pod = review.pod().map(Pod::display_name),
                credential_specs = decision.credential_specs,
                "admitted"
            );
            return;
        }
        if outcome == Outcome::Probed {
            tracing::debug!(
                endpoint = endpoint.as_str(),
                namespace = review.namespace(),
                "refused a probe, as it asks"
            );
            return;
        }
        let reasons: Vec<&str> =
            decision.denials().iter().map(|denial| denial.reason.id()).collect();
        let owner = review.pod().and_then(Pod::controller);
        let owner = owner.map(|(kind, name)| format!("{kind}/{name}"));
        tracing::info!(
            endpoint = endpoint.as_str(),
            namespace = review.namespace(),
            pod = review.pod().map(Pod::display_name),
            owner,
            places = decision.places,
            credential_specs = decision.credential_specs,
            code,
            reasons = ?reasons,
            "denied"
        );
    }
}

fn endpoint(step: Step) -> Endpoint {
    match step {
        Step::Mutate => Endpoint::Mutate,
        Step::Validate => Endpoint::Validate,
    }
}

#[cfg(test)]
mod tests;
