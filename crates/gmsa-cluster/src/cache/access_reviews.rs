//! What is remembered and shared of access reviews.
//!
//! The API server's own view of RBAC lags behind the events that it sends. So an answer is
//! remembered or shared only if its review began at least [`SETTLING`] after the last RBAC event
//! and no event came meanwhile.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use gmsa_core::admission::Right;
use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;

use crate::cache::rbac_watch::Changes;

/// How long the API server's view of RBAC may lag behind its events.
pub(crate) const SETTLING: Duration = Duration::from_secs(2);

/// The longest that an answer may be remembered.
pub(crate) const LONGEST: Duration = Duration::from_secs(10);

/// How old a review may be that is still joined: a review that hangs has time left for who joins it.
pub(crate) const JOINED: Duration = Duration::from_secs(5);

/// How many answers are remembered at most.
const CAPACITY: usize = 10_000;

/// Is called for every answer to "may this service account use this credential spec".
pub trait Observer: Send + Sync + 'static {
    /// `result` is `allowed`, `denied` or `error`; `source` is `cache`, `shared` or `live`.
    fn access_review(&self, result: &'static str, source: &'static str);
}

#[derive(Clone, Copy)]
struct Remembered {
    generation: u64,
    began: Instant,
}

/// A review under way. It is kept up by those who wait for it alone, so it ends with the last of
/// them, answered or not.
struct InFlight {
    generation: u64,
    began: Instant,
    review: WeakShared<BoxFuture<'static, Right>>,
}

pub(crate) struct Memory {
    changes: Arc<Changes>,
    keep: Duration,
    allowed: RwLock<HashMap<String, Remembered>>,
    in_flight: Mutex<HashMap<String, InFlight>>,
    observer: Arc<dyn Observer>,
}

impl Memory {
    /// `keep` is at most [`LONGEST`]; zero turns the cache off.
    pub(crate) fn new(changes: Arc<Changes>, keep: Duration, observer: Arc<dyn Observer>) -> Self {
        let keep = keep.min(LONGEST);
        let (allowed, in_flight) = (RwLock::default(), Mutex::default());
        Self { changes, keep, allowed, in_flight, observer }
    }

    /// The cached answer, if it is still valid.
    pub(crate) fn recall(&self, key: &str, now: Instant) -> Option<Right> {
        if self.keep.is_zero() || !self.changes.are_watched(now) {
            return None;
        }
        let remembered = *self.allowed.read().get(key)?;
        if !self.holds(remembered, now) {
            return None;
        }
        self.observer.access_review("allowed", "cache");
        Some(Right::Allowed)
    }

    /// Asks, or joins who asks already, and remembers the answer where that is safe.
    pub(crate) async fn ask<F>(&self, key: String, review: impl FnOnce() -> F) -> Right
    where
        F: Future<Output = Right> + Send + 'static,
    {
        let generation = self.changes.generation();
        let settled =
            self.changes.are_watched(Instant::now()) && self.changes.quiet_for() >= SETTLING;
        if !settled {
            let right = review().await;
            self.observer.access_review(result(&right), "live");
            return right;
        }
        let began = Instant::now();
        let (review, source) = self.join(&key, generation, began, review);
        let waiting = Waiting { memory: self, key: &key, review: Some(review.clone()) };
        let right = review.await;
        drop(waiting);
        self.observer.access_review(result(&right), source);
        if source == "live" {
            let unchanged =
                self.changes.generation() == generation && self.changes.are_watched(Instant::now());
            if right == Right::Allowed && unchanged && !self.keep.is_zero() {
                self.remember(key, Remembered { generation, began });
            }
        }
        right
    }

    fn join<F>(
        &self,
        key: &str,
        generation: u64,
        now: Instant,
        review: impl FnOnce() -> F,
    ) -> (Shared<BoxFuture<'static, Right>>, &'static str)
    where
        F: Future<Output = Right> + Send + 'static,
    {
        let mut in_flight = self.in_flight.lock();
        let joined = in_flight
            .get(key)
            .filter(|running| running.generation == generation)
            .filter(|running| now.saturating_duration_since(running.began) < JOINED)
            .and_then(|running| running.review.upgrade())
            .filter(|review| review.peek().is_none());
        if let Some(review) = joined {
            return (review, "shared");
        }
        let own = review().boxed().shared();
        // Nobody has waited for it yet, so it can be referred to.
        if let Some(review) = own.downgrade() {
            in_flight.insert(key.to_owned(), InFlight { generation, began: now, review });
        }
        (own, "live")
    }

    fn holds(&self, remembered: Remembered, now: Instant) -> bool {
        remembered.generation == self.changes.generation()
            && now.saturating_duration_since(remembered.began) < self.keep
    }

    /// When there are too many, expired ones are removed; if none has expired, this one is not
    /// remembered, which only makes it slower.
    fn remember(&self, key: String, remembered: Remembered) {
        let mut allowed = self.allowed.write();
        if allowed.len() >= CAPACITY {
            let now = Instant::now();
            allowed.retain(|_, other| self.holds(*other, now));
        }
        if allowed.len() < CAPACITY {
            allowed.insert(key, remembered);
        }
    }
}

/// A request that waits for a review; dropping the last one ends the review.
struct Waiting<'a> {
    memory: &'a Memory,
    key: &'a str,
    review: Option<Shared<BoxFuture<'static, Right>>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut in_flight = self.memory.in_flight.lock();
        // Within the lock, so that of two who go at once the second sees that it was the last.
        self.review = None;
        if in_flight.get(self.key).is_some_and(|running| running.review.upgrade().is_none()) {
            in_flight.remove(self.key);
        }
    }
}

fn result(right: &Right) -> &'static str {
    match right {
        Right::Allowed => "allowed",
        Right::Denied => "denied",
        Right::Unknown(_) => "error",
    }
}

#[cfg(test)]
mod tests;
