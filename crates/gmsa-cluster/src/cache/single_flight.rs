//! Work that several callers want at the same time is done once.
//!
//! A flight exists as long as a caller waits for it: it ends with the last one, finished or not, and
//! its key is free again.

use std::collections::HashMap;
use std::future::Future;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;

/// Work under way, for those who wait for it.
pub(crate) type Flight<T> = Shared<BoxFuture<'static, T>>;

/// A flight without keeping it alive, with what decides whether it may still be joined.
type Known<T, A> = (WeakShared<BoxFuture<'static, T>>, A);

/// The flights by their keys.
pub(crate) struct SingleFlight<T: Clone, A> {
    flights: Mutex<HashMap<String, Known<T, A>>>,
}

impl<T: Clone, A> Default for SingleFlight<T, A> {
    fn default() -> Self {
        Self { flights: Mutex::default() }
    }
}

impl<T: Clone + Send + Sync + 'static, A> SingleFlight<T, A> {
    /// The answer, and whether it came from a flight that was joined. A flight in progress is
    /// joined if `joins` allows it; otherwise `start` begins another one.
    pub(crate) async fn run<F>(
        &self,
        key: &str,
        joins: impl FnOnce(&A) -> bool,
        start: impl FnOnce(Option<Flight<T>>) -> (A, F),
    ) -> (T, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (flight, joined) = self.board(key, joins, start);
        let waiting = Waiting { flights: self, key, flight: Some(flight.clone()) };
        let answer = flight.await;
        drop(waiting);
        (answer, joined)
    }

    fn board<F>(
        &self,
        key: &str,
        joins: impl FnOnce(&A) -> bool,
        start: impl FnOnce(Option<Flight<T>>) -> (A, F),
    ) -> (Flight<T>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut flights = self.flights.lock();
        let known = flights.get(key).and_then(|(flight, about)| Some((flight.upgrade()?, about)));
        let previous = match known {
            Some((flight, about)) if flight.peek().is_none() && joins(about) => {
                return (flight, true);
            }
            known => known.map(|(flight, _)| flight),
        };
        let (about, work) = start(previous);
        let flight = work.boxed().shared();
        // It has not been polled, so it can be downgraded.
        if let Some(weak) = flight.downgrade() {
            flights.insert(key.to_owned(), (weak, about));
        }
        (flight, false)
    }

    /// How many flights are under way.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.flights.lock().len()
    }
}

/// A caller that waits for a flight. The last one removes it from the map, also when it gives up.
struct Waiting<'a, T: Clone, A> {
    flights: &'a SingleFlight<T, A>,
    key: &'a str,
    flight: Option<Flight<T>>,
}

impl<T: Clone, A> Drop for Waiting<'_, T, A> {
    fn drop(&mut self) {
        let mut flights = self.flights.flights.lock();
        // Within the lock, so that of two that leave at once the second sees that it was the last.
        self.flight = None;
        if flights.get(self.key).is_some_and(|(flight, _)| flight.upgrade().is_none()) {
            flights.remove(self.key);
        }
    }
}
