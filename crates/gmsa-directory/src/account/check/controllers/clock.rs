//! How far the clocks are apart.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::{Check, CheckStatus};

/// The clock skew that Kerberos allows by default (RFC 4120, section 8.2).
const ALLOWED: Duration = Duration::from_mins(5);
/// A clock that is set by another is not that wrong.
const NOTEWORTHY: Duration = Duration::from_mins(1);
const DAY: i64 = 86_400;

pub(super) fn check(there: Option<SystemTime>, here: SystemTime) -> Check {
    const ID: &str = "clock";
    let Some(there) = there else {
        return Check::not_passed(
            ID,
            CheckStatus::Unknown,
            "the controller does not report the time".to_owned(),
            "compare the clocks by hand (w32tm /stripchart)",
        );
    };
    let (apart, side) = match there.duration_since(here) {
        Ok(apart) => (apart, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    let seconds = apart.as_secs();
    let status = match apart {
        apart if apart > ALLOWED => CheckStatus::Failed,
        apart if apart > NOTEWORTHY => CheckStatus::Warning,
        _ => {
            let message = "the clocks of the controller and of this machine agree within a minute";
            return Check::passed(ID, message.to_owned());
        }
    };
    Check::not_passed(
        ID,
        status,
        format!(
            "the controller's clock is {seconds} s {side} that of this machine; Kerberos takes up to \
             300 s"
        ),
        "set the wrong one: all machines of a domain follow its controllers (w32tm /resync)",
    )
}

/// A moment as LDAP writes it in UTC: `YYYYMMDDHHMMSS`, a fraction or not, `Z` (RFC 4517, section
/// 3.3.13).
pub(super) fn moment(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| whole.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(8..10)?, number(10..12)?, number(12..14)?);
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !valid || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * DAY + (hour * 60 + minute) * 60 + second;
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Days since 1970 in the Gregorian calendar: years are counted from March on, so that the leap day is
/// the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // From March on the lengths of the months repeat every five: 153 days.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}
