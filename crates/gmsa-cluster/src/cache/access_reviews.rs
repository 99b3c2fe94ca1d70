//! What is remembered and shared of access reviews.
//!
//! The API server's own view of RBAC lags behind the events that it sends. So an answer is
//! remembered or shared only if its review began at least [`SETTLING`] after the last RBAC event
//! and no event came meanwhile.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gmsa_core::admission::Right;
use parking_lot::RwLock;
use tokio::time::Instant;

use crate::cache::rbac_watch::Changes;
use crate::cache::single_flight::SingleFlight;

/// How long the API server's view of RBAC may lag behind its events.
pub(crate) const SETTLING: Duration = Duration::from_secs(2);

/// The longest that an answer may be cached.
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

/// When a review began: after how many changes, and at which moment.
#[derive(Clone, Copy)]
struct Began {
    generation: u64,
    at: Instant,
}

pub(crate) struct AccessReviews {
    changes: Arc<Changes>,
    keep: Duration,
    allowed: RwLock<HashMap<String, Began>>,
    in_flight: SingleFlight<Right, Began>,
    observer: Arc<dyn Observer>,
}

impl AccessReviews {
    /// `keep` is cut to [`LONGEST`]; zero turns remembering off.
    pub(crate) fn new(changes: Arc<Changes>, keep: Duration, observer: Arc<dyn Observer>) -> Self {
        let keep = keep.min(LONGEST);
        let (allowed, in_flight) = (RwLock::default(), SingleFlight::default());
        Self { changes, keep, allowed, in_flight, observer }
    }

    /// The remembered answer, if there is one that still holds.
    pub(crate) fn cached(&self, key: &str, now: Instant) -> Option<Right> {
        if self.keep.is_zero() || !self.changes.are_watched(now) {
            return None;
        }
        let cached = *self.allowed.read().get(key)?;
        if !self.holds(cached, now) {
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
        let began = Began { generation, at: Instant::now() };
        let joins = |other: &Began| {
            let age = began.at.saturating_duration_since(other.at);
            other.generation == generation && age < JOINED
        };
        let (right, joined) = self.in_flight.run(&key, joins, |_| (began, review())).await;
        self.observer.access_review(result(&right), if joined { "shared" } else { "live" });
        if !joined {
            let unchanged =
                self.changes.generation() == generation && self.changes.are_watched(Instant::now());
            if right == Right::Allowed && unchanged && !self.keep.is_zero() {
                self.insert(key, began);
            }
        }
        right
    }

    fn holds(&self, began: Began, now: Instant) -> bool {
        began.generation == self.changes.generation()
            && now.saturating_duration_since(began.at) < self.keep
    }

    /// When there are too many, those that no longer hold make room; if all hold, this one is not
    /// cached, which only makes it slower.
    fn insert(&self, key: String, began: Began) {
        let mut allowed = self.allowed.write();
        if allowed.len() >= CAPACITY {
            let now = Instant::now();
            allowed.retain(|_, other| self.holds(*other, now));
        }
        if allowed.len() < CAPACITY {
            allowed.insert(key, began);
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
