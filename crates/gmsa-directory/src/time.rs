//! Moments as Windows counts them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Seconds between 1601, where Windows counts from, and 1970.
const EPOCH_DIFFERENCE: u64 = 11_644_473_600;
const DAY: Duration = Duration::from_hours(24);

/// A moment in steps of 100 ns since 1601 (`FILETIME`, MS-DTYP, section 2.3.3).
pub(crate) fn of_filetime(ticks: i64) -> SystemTime {
    let ticks = u64::try_from(ticks).unwrap_or_default();
    let seconds = Duration::from_secs(ticks / 10_000_000);
    UNIX_EPOCH + seconds.saturating_sub(Duration::from_secs(EPOCH_DIFFERENCE))
}

/// The steps of 100 ns since 1601 at a moment; that of 1970 for one before.
pub(crate) fn to_filetime(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    let ticks = (since + Duration::from_secs(EPOCH_DIFFERENCE)).as_nanos() / 100;
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

/// The start of a day in UTC, such as `2026-11-28`; None for one before 1970.
pub(crate) fn start_of(day: &str) -> Option<SystemTime> {
    let day: Date = day.parse().ok()?;
    let start = SystemTime::from(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    (start >= UNIX_EPOCH).then_some(start)
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
        assert_eq!(to_filetime(UNIX_EPOCH), 116_444_736_000_000_000);
        let day_of_2023 = start_of("2023-01-01").unwrap();
        assert_eq!(to_filetime(day_of_2023), 133_170_048_000_000_000);
        for odd in ["1969-12-31", "2023-02-29", "tomorrow", "", "01.02.2023"] {
            assert_eq!(start_of(odd), None, "{odd}");
        }
        assert_eq!(day(UNIX_EPOCH + Duration::from_hours(464_592)), "2023-01-01");
        assert_eq!(days_ago(SystemTime::now() - Duration::from_hours(49)), 2);
        assert_eq!(days_ago(SystemTime::now() + DAY), 0);
    }
}
