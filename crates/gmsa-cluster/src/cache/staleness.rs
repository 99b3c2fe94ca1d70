//! Whether the data of a watch is still current.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long a watch counts as current after the last event, bookmark or resumed watch.
pub(crate) const CURRENT_FOR: Duration = Duration::from_mins(1);

/// The time of the last activity of a watch, readable without a lock.
#[derive(Debug)]
pub(crate) struct LastActivity {
    start: Instant,
    /// Milliseconds after `start`, plus one; 0 while there is none.
    last: AtomicU64,
}

impl LastActivity {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Records activity.
    pub(crate) fn record(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.last.store(millis + 1, Ordering::Release);
    }

    /// Forgets the last activity.
    pub(crate) fn clear(&self) {
        self.last.store(0, Ordering::Release);
    }

    /// How long ago the last activity was; none if there was none.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.age_at(Instant::now())
    }

    pub(crate) fn is_current(&self, now: Instant) -> bool {
        self.age_at(now).is_some_and(|age| age < CURRENT_FOR)
    }

    fn age_at(&self, now: Instant) -> Option<Duration> {
        let last = self.last.load(Ordering::Acquire).checked_sub(1)?;
        let since_start = now.saturating_duration_since(self.start);
        Some(since_start.saturating_sub(Duration::from_millis(last)))
    }
}
