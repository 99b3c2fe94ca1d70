//! A token bucket that limits live reads.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Hands out turns: `burst` at once, then `qps` a second, in the order of asking.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    per_second: f64,
    burst: f64,
    state: Mutex<(f64, Instant)>,
}

impl RateLimiter {
    pub(crate) fn new(per_second: f64, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        Self { per_second, burst, state: Mutex::new((burst, Instant::now())) }
    }

    /// Waits for a turn, and says whether one came: false, at once, where it would come later than
    /// `until`. A rate of zero or less means no limit. Dropping the future returns the turn.
    pub(crate) async fn turn(&self, until: Instant) -> bool {
        if self.per_second <= 0.0 {
            return true;
        }
        let Some(at) = self.reserve(until) else { return false };
        let waiting = GiveBack(self);
        tokio::time::sleep_until(at).await;
        std::mem::forget(waiting);
        true
    }

    /// When the next turn comes; none, and nothing reserved, if that is too late.
    fn reserve(&self, until: Instant) -> Option<Instant> {
        let mut state = self.state.lock();
        let now = Instant::now();
        let (tokens, last) = *state;
        let refilled = now.duration_since(last).as_secs_f64().mul_add(self.per_second, tokens);
        let left = refilled.min(self.burst) - 1.0;
        let wait = Duration::try_from_secs_f64(-left.min(0.0) / self.per_second).ok()?;
        let at = now.checked_add(wait).filter(|at| wait.is_zero() || *at <= until)?;
        *state = (left, now);
        Some(at)
    }
}

/// A reserved turn, given back where it is not taken.
struct GiveBack<'a>(&'a RateLimiter);

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        self.0.state.lock().0 += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_the_rest_waits() {
        let limiter = RateLimiter::new(10.0, 3);
        let start = Instant::now();
        let later = start + Duration::from_mins(1);
        for _ in 0..3 {
            assert!(limiter.turn(later).await);
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..5 {
            assert!(limiter.turn(later).await);
        }
        let waited = start.elapsed();
        assert!(
            (Duration::from_millis(490)..Duration::from_millis(520)).contains(&waited),
            "{waited:?}"
        );
        let unlimited = RateLimiter::new(0.0, 1);
        let start = Instant::now();
        for _ in 0..100 {
            assert!(unlimited.turn(start).await);
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_would_come_too_late_is_refused_and_owes_nothing() {
        let limiter = RateLimiter::new(1.0, 1);
        let start = Instant::now();
        let soon = start + Duration::from_secs(2);
        assert!(limiter.turn(soon).await);
        let mut waiting: Vec<_> = (0..2).map(|_| Box::pin(limiter.turn(soon))).collect();
        for turn in &mut waiting {
            assert!(futures::poll!(turn).is_pending());
        }
        for _ in 0..1000 {
            assert!(!limiter.turn(soon).await);
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "a refusal comes at once");
        drop(waiting);
        assert!(limiter.turn(soon).await, "what was given back is there for others");
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }
}
