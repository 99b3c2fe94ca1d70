//! A token bucket that limits live reads.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Hands out turns: `burst` at once, then `qps` a second, in the order of asking.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: f64,
    burst: f64,
    state: Mutex<(f64, Instant)>,
}

impl Bucket {
    pub(crate) fn new(per_second: f64, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        Self { per_second, burst, state: Mutex::new((burst, Instant::now())) }
    }

    /// Waits for a turn. A rate of zero or less is no limit.
    pub(crate) async fn turn(&self) {
        let wait = self.reserve();
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    fn reserve(&self) -> Duration {
        if self.per_second <= 0.0 {
            return Duration::ZERO;
        }
        let mut state = self.state.lock();
        let now = Instant::now();
        let (tokens, last) = *state;
        let refilled = now.duration_since(last).as_secs_f64().mul_add(self.per_second, tokens);
        let left = refilled.min(self.burst) - 1.0;
        *state = (left, now);
        if left >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-left / self.per_second) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_the_rest_waits() {
        let bucket = Bucket::new(10.0, 3);
        let start = Instant::now();
        for _ in 0..3 {
            bucket.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..5 {
            bucket.turn().await;
        }
        let waited = start.elapsed();
        assert!(
            (Duration::from_millis(490)..Duration::from_millis(520)).contains(&waited),
            "{waited:?}"
        );
        let unlimited = Bucket::new(0.0, 1);
        let start = Instant::now();
        for _ in 0..100 {
            unlimited.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
