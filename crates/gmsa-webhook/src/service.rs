//! What answers each admission endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gmsa_cluster::index::Keeper;
use gmsa_core::admission::{Reason, Step};

use crate::admission::{Admission, AtOnce, Gatherer, Settings, Source};
use crate::http::{Answer, Endpoint, Handler};
use crate::metrics::{Metrics, Outcome};
use crate::warnings::Warnings;
use crate::wire::{self, Malformed};

/// Answers AdmissionReviews.
pub struct Service {
    source: Source,
    index: Option<Keeper>,
    admission: Admission,
    warnings: Warnings,
    metrics: Arc<Metrics>,
    deadline: Duration,
}

impl Service {
    /// Answers with the facts of a source.
    #[must_use]
    pub fn new(source: Source, metrics: Arc<Metrics>, settings: Settings) -> Self {
        let gatherer = Gatherer::new(source.clone());
        Self {
            source,
            admission: Admission::new(gatherer.clone(), Arc::clone(&metrics), settings),
            warnings: Warnings::new(gatherer, Arc::clone(&metrics), settings),
            index: None,
            metrics,
            deadline: settings.deadline,
        }
    }

    /// The same, which also keeps the index: it is ready once the index is.
    #[must_use]
    pub fn with_index(mut self, index: Option<Keeper>) -> Self {
        self.warnings.index.clone_from(&index);
        self.index = index;
        self
    }

    /// How long an answer may take if its caller waits for `timeout`: a fifth of that is left for
    /// the network.
    fn patience(&self, timeout: Option<Duration>) -> Duration {
        timeout
            .map_or(self.deadline, |timeout| self.deadline.min(timeout.saturating_sub(timeout / 5)))
    }

    async fn decide(
        &self,
        step: Step,
        body: Bytes,
        timeout: Option<Duration>,
        began: Instant,
    ) -> Result<Answer, Malformed> {
        match self.admission.at_once(step, &body, began)? {
            AtOnce::Answered(answer) => Ok(answer),
            // Boxed, because a future is moved several times, and this one is large.
            AtOnce::Incomplete(facts) => {
                let patience = self.patience(timeout);
                Box::pin(self.admission.at_length(step, &body, facts, began, patience)).await
            }
        }
    }

    fn malformed(&self, endpoint: Endpoint, malformed: &Malformed, began: Instant) -> Answer {
        self.metrics.admission(endpoint, "", Outcome::Denied, 400, began.elapsed().as_secs_f64());
        tracing::warn!(endpoint = endpoint.as_str(), error = %malformed, "malformed request");
        Answer::Malformed(wire::encode_malformed(malformed).into())
    }
}

impl Handler for Service {
    async fn review(&self, endpoint: Endpoint, body: Bytes, timeout: Option<Duration>) -> Answer {
        let began = Instant::now();
        let answer = match endpoint {
            Endpoint::Mutate => self.decide(Step::Mutate, body, timeout, began).await,
            Endpoint::Validate => self.decide(Step::Validate, body, timeout, began).await,
            Endpoint::Warn | Endpoint::ValidateCredspec | Endpoint::IndexCredspec => {
                let patience = self.patience(timeout);
                Box::pin(self.warnings.warn(endpoint, &body, began, patience)).await
            }
        };
        answer.unwrap_or_else(|malformed| self.malformed(endpoint, &malformed, began))
    }

    fn refuse(&self, endpoint: Endpoint, body: &Bytes) -> Answer {
        let began = Instant::now();
        let answer = match endpoint {
            Endpoint::Mutate => self.admission.refuse(Step::Mutate, body, began),
            Endpoint::Validate => self.admission.refuse(Step::Validate, body, began),
            Endpoint::Warn | Endpoint::ValidateCredspec | Endpoint::IndexCredspec => {
                self.warnings.let_pass(endpoint, body, began)
            }
        };
        answer.unwrap_or_else(|malformed| self.malformed(endpoint, &malformed, began))
    }

    fn turned_away(&self, endpoint: Endpoint) {
        self.metrics.admission(endpoint, "", Outcome::Denied, Reason::Overload.code(), 0.0);
        tracing::warn!(
            endpoint = endpoint.as_str(),
            "refused a request unread: too many request bytes are buffered"
        );
    }

    fn ready(&self) -> Result<(), String> {
        self.source.ready()?;
        self.index.as_ref().map_or(Ok(()), Keeper::ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::StoreDir;

    #[test]
    fn an_answer_takes_less_time_than_its_caller_has() {
        let store = StoreDir::from_manifests("").unwrap();
        let (source, metrics) = (Source::Directory(store), Arc::new(Metrics::new()));
        let service = Service::new(source, metrics, Settings::default());
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
