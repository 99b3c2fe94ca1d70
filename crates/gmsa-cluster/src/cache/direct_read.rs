//! Direct reads of credential specs: one at a time for a name, limited in rate.
//!
//! A read answers for everything that happened before it was sent. So an asker joins a read that
//! still waits for its turn, but never one that is under way: an object made just before the asker
//! came could be missing from it. For a name one read is under way and one waits, for a
//! second at most. A read is kept up by its askers alone: it ends with the last of them, and gives
//! back the turn it waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gmsa_core::admission::{Failure, SpecFact};
use gmsa_core::names::KIND;
use kube::api::{Api, DynamicObject};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::api::{Error, answer};
use crate::cache::credential_specs::prepare;
use crate::cache::rate_limiter::RateLimiter;
use crate::cache::single_flight::{Flight, SingleFlight};

/// How long a read waits for the one before it.
const AHEAD: Duration = Duration::from_secs(1);

/// Where a read stands.
struct Turn {
    /// Whether the request has been sent.
    sent: AtomicBool,
    /// Until when its askers wait for it to be sent.
    until: Mutex<Instant>,
}

pub(crate) struct DirectReads {
    api: Api<DynamicObject>,
    limiter: Arc<RateLimiter>,
    reads: SingleFlight<SpecFact, Arc<Turn>>,
}

impl DirectReads {
    pub(crate) fn new(api: Api<DynamicObject>, limiter: RateLimiter) -> Self {
        Self { api, limiter: Arc::new(limiter), reads: SingleFlight::default() }
    }

    /// Reads a credential spec as it is now, for one who waits until the deadline.
    pub(crate) async fn read(&self, name: &str, deadline: Instant) -> SpecFact {
        let joins = |turn: &Arc<Turn>| {
            let waits = !turn.sent.load(Ordering::Acquire);
            if waits {
                let mut until = turn.until.lock();
                *until = (*until).max(deadline);
            }
            waits
        };
        let start = |previous| {
            let turn = Turn { sent: AtomicBool::new(false), until: Mutex::new(deadline) };
            let turn = Arc::new(turn);
            (Arc::clone(&turn), self.start(name.to_owned(), previous, turn))
        };
        self.reads.run(name, joins, start).await.0
    }

    fn start(
        &self,
        name: String,
        previous: Option<Flight<SpecFact>>,
        turn: Arc<Turn>,
    ) -> impl Future<Output = SpecFact> + use<> {
        let (api, limiter) = (self.api.clone(), Arc::clone(&self.limiter));
        async move {
            if let Some(previous) = previous {
                // A hanging read does not block later ones for long.
                let _ = tokio::time::timeout(AHEAD, previous).await;
            }
            let until = *turn.until.lock();
            if !limiter.turn(until).await {
                return SpecFact::Unknown(too_many(&name));
            }
            turn.sent.store(true, Ordering::Release);
            match answer("read", shown(&name), api.get(&name)).await {
                Ok(object) => prepare(object).map_or(SpecFact::Empty, SpecFact::Found),
                Err(error) if error.is_absent() => SpecFact::Absent,
                Err(error) => SpecFact::Unknown(error.of_credential_spec().into()),
            }
        }
    }
}

fn shown(name: &str) -> String {
    format!("{KIND} \"{name}\"")
}

fn too_many(name: &str) -> Failure {
    Failure {
        timed_out: true,
        message: format!(
            "failed to read GMSACredentialSpec \"{name}\": too many reads wait for their turn \
             (--qps and --burst limit them); try again"
        ),
    }
}

pub(crate) fn timed_out(name: &str) -> Failure {
    Error::timed_out("read", shown(name)).into()
}

#[cfg(test)]
mod tests;
