//! Moments as Windows counts them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Seconds between 1601, where Windows counts from, and 1970.
const EPOCH_DIFFERENCE: u64 = 11_644_473_600;
const DAY: Duration = Duration::from_hours(24);

/// A moment in steps of 100 ns since 1601 (`FILETIME`, MS-DTYP, section 2.3.3).
pub(crate) fn of_filetime(ticks: i64) -> SystemTime {
    let ticks = u64::try_from(ticks).unwrap_or_default();
    let seconds = Duration::from_secs(ticks / 10_000_000);
    UNIX_EPOCH + seconds.saturating_sub(Duration::from_secs(EPOCH_DIFFERENCE))
}

/// The day of a moment in UTC, such as `2026-11-28`.
pub(crate) fn day(moment: SystemTime) -> String {
    Timestamp::try_from(moment).map_or_else(
        |_| "an unknown day".to_owned(),
        |moment| moment.strftime("%Y-%m-%d").to_string(),
    )
}

/// How many whole days ago a moment was; 0 for one to come.
pub(crate) fn days_ago(moment: SystemTime) -> u64 {
    SystemTime::now().duration_since(moment).unwrap_or_default().as_secs() / DAY.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_windows() {
        assert_eq!(of_filetime(116_444_736_000_000_000), UNIX_EPOCH);
        assert_eq!(
            of_filetime(133_170_048_000_000_000),
            UNIX_EPOCH + Duration::from_hours(464_592)
        );
        assert_eq!(of_filetime(-1), UNIX_EPOCH);
        assert_eq!(day(UNIX_EPOCH + Duration::from_hours(464_592)), "2023-01-01");
        assert_eq!(days_ago(SystemTime::now() - Duration::from_hours(49)), 2);
        assert_eq!(days_ago(SystemTime::now() + DAY), 0);
    }
}
