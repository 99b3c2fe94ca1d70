//! Live reads of credential specs: one at a time for a name, limited in rate.
//!
//! A read answers for everything that happened before it was sent. So an asker joins a read that
//! still waits for its turn, but never one that is under way: an object made just before the asker
//! came could be missing from it. For a name one read is under way and one waits, for a
//! second at most. A read is kept up by its askers alone: it ends with the last of them, and gives
//! back the turn it waits for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use gmsa_core::admission::{Failure, SpecFact};
use kube::api::{Api, DynamicObject};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::cache::credential_specs::prepare;
use crate::cache::rate_limiter::Bucket;

/// How long one read may take, however many requests wait for it.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a read waits for the one before it.
const AHEAD: Duration = Duration::from_secs(1);

type Reading = Shared<BoxFuture<'static, SpecFact>>;

struct Slot {
    reading: WeakShared<BoxFuture<'static, SpecFact>>,
    turn: Arc<Turn>,
}

/// The state of a read.
struct Turn {
    /// Whether the request has been sent.
    sent: AtomicBool,
    /// Until when its askers wait for it to be sent.
    until: Mutex<Instant>,
}

pub(crate) struct Live {
    api: Api<DynamicObject>,
    bucket: Arc<Bucket>,
    slots: Mutex<HashMap<String, Slot>>,
}

impl Live {
    pub(crate) fn new(api: Api<DynamicObject>, bucket: Bucket) -> Self {
        Self { api, bucket: Arc::new(bucket), slots: Mutex::default() }
    }

    /// Reads a credential spec as it is now, for one who waits until the deadline.
    pub(crate) async fn read(&self, name: &str, deadline: Instant) -> SpecFact {
        let reading = self.join(name, deadline);
        let _waiting = Waiting { live: self, name, reading: Some(reading.clone()) };
        reading.await
    }

    fn join(&self, name: &str, deadline: Instant) -> Reading {
        let mut slots = self.slots.lock();
        let mut previous = None;
        if let Some(slot) = slots.get(name)
            && let Some(reading) = slot.reading.upgrade()
        {
            if !slot.turn.sent.load(Ordering::Acquire) && reading.peek().is_none() {
                let mut until = slot.turn.until.lock();
                *until = (*until).max(deadline);
                return reading;
            }
            previous = Some(reading);
        }
        let turn = Arc::new(Turn { sent: AtomicBool::new(false), until: Mutex::new(deadline) });
        let reading = self.start(name.to_owned(), previous, Arc::clone(&turn));
        // Nobody has waited for it yet, so it can be referred to.
        if let Some(weak) = reading.downgrade() {
            slots.insert(name.to_owned(), Slot { reading: weak, turn });
        }
        reading
    }

    fn start(&self, name: String, previous: Option<Reading>, turn: Arc<Turn>) -> Reading {
        let (api, bucket) = (self.api.clone(), Arc::clone(&self.bucket));
        async move {
            if let Some(previous) = previous {
                // A hanging read does not block later ones for long.
                let _ = tokio::time::timeout(AHEAD, previous).await;
            }
            let until = *turn.until.lock();
            if !bucket.turn(until).await {
                return SpecFact::Unknown(too_many(&name));
            }
            turn.sent.store(true, Ordering::Release);
            match tokio::time::timeout(READ_TIMEOUT, api.get(&name)).await {
                Ok(Ok(object)) => prepare(object).map_or(SpecFact::Empty, SpecFact::Found),
                Ok(Err(error)) => failed(&name, &error),
                Err(_) => SpecFact::Unknown(timed_out(&name)),
            }
        }
        .boxed()
        .shared()
    }
}

/// A request that waits for a read; dropping the last one ends the read.
struct Waiting<'a> {
    live: &'a Live,
    name: &'a str,
    reading: Option<Reading>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut slots = self.live.slots.lock();
        // Within the lock, so that of two who go at once the second sees that it was the last.
        self.reading = None;
        if slots.get(self.name).is_some_and(|slot| slot.reading.upgrade().is_none()) {
            slots.remove(self.name);
        }
    }
}

fn failed(name: &str, error: &kube::Error) -> SpecFact {
    if let kube::Error::Api(status) = error
        && status.code == 404
    {
        // Without the resource definition the answer names no object.
        let of_object = status.details.as_ref().is_some_and(|details| details.name == name);
        if of_object {
            return SpecFact::Absent;
        }
        return SpecFact::Unknown(Failure {
            timed_out: false,
            message: format!(
                "failed to read GMSACredentialSpec \"{name}\": this cluster does not know the \
                 resource; apply the CustomResourceDefinition"
            ),
        });
    }
    SpecFact::Unknown(Failure {
        timed_out: false,
        message: format!(
            "failed to read GMSACredentialSpec \"{name}\": {}",
            crate::api::client::why(error)
        ),
    })
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
    Failure {
        timed_out: true,
        message: format!(
            "failed to read GMSACredentialSpec \"{name}\": the API server did not answer in time"
        ),
    }
}

#[cfg(test)]
mod tests;
