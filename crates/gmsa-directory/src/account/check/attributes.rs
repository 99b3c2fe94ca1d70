//! What can be seen of the account alone.

use gmsa_core::windows::encryption_types::{self, Standing};

use super::{Check, CheckStatus};
use crate::account::{Account, name};

/// A stolen password works for as long as the interval lasts.
const LONG: i64 = 365;

pub(in crate::account) fn missing(name: &str, user: &str) -> Check {
    let shown = name.trim_end_matches('$');
    let message = if name.contains('=') {
        format!("{shown} does not exist, or {user} may not see it")
    } else {
        format!("{shown}$ does not exist, or {user} may not see it")
    };
    let remedy = "make it with `kubectl gmsa account create`, or correct the name";
    Check::not_passed("exists", CheckStatus::Failed, message, remedy)
}

pub(in crate::account) fn class(account: &Account) -> Check {
    let is = if account.is_group_managed { "a" } else { "not a" };
    let message = match account.other_kind {
        Some(kind) => format!("it is {kind}, not a group managed service account"),
        None => format!("it is {is} group managed service account"),
    };
    Check::when(
        account.is_group_managed,
        "class",
        CheckStatus::Failed,
        message,
        "an account cannot be turned into one: make one under another name, `kubectl gmsa account create \
         NAME`",
    )
}

/// Everything of a group managed service account.
pub(in crate::account) fn of(account: &Account) -> Vec<Check> {
    let named = name::valid_name(&account.name);
    let set = |what: &str| format!("`kubectl gmsa account set {} {what}`", account.name);
    let host_name = account.dns_host_name.as_deref();
    vec![
        Check::when(
            named.is_ok(),
            "name",
            CheckStatus::Failed,
            named.map_or_else(
                |problem| problem.to_string(),
                |name| format!("the name {name} has at most 15 characters"),
            ),
            "make an account with a shorter name: `kubectl gmsa account create NAME`",
        ),
        enabled(account, &set("--enable"), &set("--expires never")),
        Check::when(
            host_name.is_some(),
            "dns-host-name",
            CheckStatus::Warning,
            format!("its DNS name is {}", host_name.unwrap_or("not set")),
            format!("set it: {}", set("--dns-host-name NAME")),
        ),
        encryption(&account.name, account.encryption_types),
        interval(&account.name, account.interval_days),
    ]
}

fn enabled(account: &Account, enable: &str, extend: &str) -> Check {
    const ID: &str = "enabled";
    if account.control.is_none() {
        let message = "whether it is enabled is not shown".to_owned();
        return Check::not_passed(ID, CheckStatus::Unknown, message, "look as an administrator");
    }
    if !account.enabled {
        let message = "it is disabled".to_owned();
        return Check::not_passed(ID, CheckStatus::Failed, message, format!("enable it: {enable}"));
    }
    match account.expired() {
        Some(day) => Check::not_passed(
            ID,
            CheckStatus::Failed,
            format!("it is enabled, but expired on {day}: it gets no Kerberos tickets"),
            format!("let it go on, for ever or until another day: {extend}"),
        ),
        None => Check::passed(ID, "it is enabled".to_owned()),
    }
}

pub(super) fn encryption(account: &str, types: Option<i64>) -> Check {
    const ID: &str = "encryption";
    let judged = encryption_types::judge(types);
    let remedy = judged.remedy.map(|remedy| remedy.replace("ACCOUNT", account));
    let status = match judged.standing {
        Standing::Good | Standing::Information => CheckStatus::Passed,
        Standing::Warning => CheckStatus::Warning,
        Standing::Problem => CheckStatus::Failed,
    };
    Check { id: ID, status, message: judged.message, remedy, details: Vec::new() }
}

pub(super) fn interval(account: &str, days: Option<i64>) -> Check {
    const ID: &str = "password-interval";
    let anew = format!(
        "an account keeps the interval that it is made with, so make it anew, with its hosts, groups and \
         names: `kubectl gmsa account remove {account}`, then `kubectl gmsa account create {account} \
         --interval-days 30`"
    );
    match days {
        None => Check::not_passed(
            ID,
            CheckStatus::Unknown,
            "the interval of its password is not shown".to_owned(),
            "look as an administrator",
        ),
        Some(1) => Check::passed(ID, "its password changes every day".to_owned()),
        Some(days @ 2..=LONG) => {
            Check::passed(ID, format!("its password changes every {days} days"))
        }
        Some(days) if days > LONG => Check::not_passed(
            ID,
            CheckStatus::Warning,
            format!("its password changes every {days} days alone: a stolen one works that long"),
            anew,
        ),
        Some(days) => Check::not_passed(
            ID,
            CheckStatus::Failed,
            format!("its password is to change every {days} days, which no controller can do"),
            anew,
        ),
    }
}
