//! Cron expressions, as a `CronJob` takes them (Kubernetes API reference, `CronJobSpec.schedule`):
//! what the API server would refuse is refused before anything is sent.

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const SHORT: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Whether the text is a cron expression of five fields, or a short form such as `@daily`.
#[must_use]
pub fn is_schedule(text: &str) -> bool {
    if SHORT.contains(&text) {
        return true;
    }
    let fields: Vec<&str> = text.split(' ').collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return false };
    is_field(minute, 0, 59, &[])
        && is_field(hour, 0, 23, &[])
        && is_field(day, 1, 31, &[])
        && is_field(month, 1, 12, &MONTHS)
        && is_field(weekday, 0, 6, &DAYS)
}

/// A list of ranges, each with a step or without. Names count from `least` on.
fn is_field(field: &str, least: usize, most: usize, names: &[&str]) -> bool {
    let value = |text: &str| {
        let place = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = place
            .map(|index| index + least)
            .or_else(|| digits.then(|| text.parse().ok()).flatten())?;
        (least..=most).contains(&number).then_some(number)
    };
    field.split(',').all(|part| {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let is_range = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => true,
            Some((from, to)) => matches!((value(from), value(to)), (Some(a), Some(b)) if a <= b),
            None => value(range).is_some(),
        };
        let is_step = |step: &str| {
            step.bytes().all(|byte| byte.is_ascii_digit())
                && step.parse::<usize>().is_ok_and(|step| step > 0)
        };
        is_range && step.is_none_or(is_step)
    })
}

#[cfg(test)]
mod tests {
    use super::is_schedule;
    use crate::installation::AUDIT_SCHEDULE;

    #[test]
    fn schedules_are_distinguished_from_other_texts() {
        for text in [
            AUDIT_SCHEDULE,
            "* * * * *",
            "0,30 1-5/2 ? jan,6 mon-fri",
            "59 23 31 12 6",
            "5/15 0 1 1 SUN",
            "@daily",
        ] {
            assert!(is_schedule(text), "{text}");
        }
        for text in [
            "",
            "daily",
            "@every",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "5-1 * * * *",
            "*/0 * * * *",
            "*/ * * * *",
            "-1 * * * *",
            "+1 * * * *",
            "1, * * * *",
            "mon * * * *",
            "*  * * * *",
            "TZ=UTC * * * * *",
        ] {
            assert!(!is_schedule(text), "{text}");
        }
    }
}
