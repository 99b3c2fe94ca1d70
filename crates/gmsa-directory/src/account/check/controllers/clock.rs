//! How far the clocks are apart.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::{Check, CheckStatus};

/// The clock skew that Kerberos allows by default (RFC 4120, section 8.2).
const ALLOWED: Duration = Duration::from_mins(5);
/// A clock that is set by another is not that wrong.
const NOTEWORTHY: Duration = Duration::from_mins(1);

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
    let moment = DateTime::strptime("%Y%m%d%H%M%S", whole).ok()?;
    let moment = SystemTime::from(moment.to_zoned(TimeZone::UTC).ok()?.timestamp());
    (moment >= UNIX_EPOCH).then_some(moment)
}
