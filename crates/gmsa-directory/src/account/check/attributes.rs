//! What can be seen of the account alone.

use super::{Check, CheckStatus};
use crate::account::{Account, name};

/// The encryptions (MS-KILE, section 2.2.7), those of DES first.
const ENCRYPTIONS: [(i64, &str); 5] =
    [(0x01, "DES"), (0x02, "DES"), (0x04, "RC4"), (0x08, "AES-128"), (0x10, "AES-256")];
const RC4: i64 = 0x04;
const AES: i64 = 0x18;
/// A stolen password works for as long as the interval lasts.
const LONG: i64 = 365;

pub(super) fn class(account: &Account) -> Check {
    let is = if account.is_group_managed { "a" } else { "no" };
    Check::when(
        account.is_group_managed,
        "class",
        CheckStatus::Failed,
        format!("it is {is} group managed service account"),
        "make one under another name: an account cannot be turned into one",
    )
}

/// Everything of a group managed service account.
pub(super) fn of(account: &Account) -> Vec<Check> {
    let named = name::valid_name(&account.name);
    let enabled = if account.enabled { "it is enabled" } else { "it is disabled" };
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
            "make an account with a shorter name",
        ),
        Check::when(
            account.enabled,
            "enabled",
            CheckStatus::Failed,
            enabled.to_owned(),
            "enable it (Enable-ADAccount)",
        ),
        Check::when(
            host_name.is_some(),
            "dns-host-name",
            CheckStatus::Warning,
            format!("its DNS name is {}", host_name.unwrap_or("not set")),
            "set dNSHostName (Set-ADServiceAccount -DNSHostName)",
        ),
        encryption(account.encryption_types),
        interval(account.interval_days),
    ]
}

pub(super) fn encryption(types: Option<i64>) -> Check {
    const ID: &str = "encryption";
    const REMEDY: &str =
        "set msDS-SupportedEncryptionTypes to 24, or to 28 where RC4 is needed still";
    let types = types.unwrap_or_default();
    let mut names: Vec<&str> =
        ENCRYPTIONS.iter().filter(|(bit, _)| types & bit != 0).map(|(_, name)| *name).collect();
    names.dedup();
    let names = names.join(", ");
    if types & AES != 0 {
        return Check::passed(ID, format!("it supports {names}"));
    }
    let (status, message) = if types & RC4 != 0 {
        (CheckStatus::Warning, format!("it supports {names}, which newer controllers refuse"))
    } else if names.is_empty() {
        let message = "it does not say which encryptions it supports, so that controllers may take \
                       RC4 for it";
        (CheckStatus::Warning, message.to_owned())
    } else {
        (CheckStatus::Failed, format!("it supports {names} alone, which no system takes any more"))
    };
    Check::not_passed(ID, status, message, REMEDY)
}

pub(super) fn interval(days: Option<i64>) -> Check {
    const ID: &str = "password-interval";
    const FIXED: &str = "it cannot be changed: make a new account with another interval";
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
            FIXED,
        ),
        Some(days) => Check::not_passed(
            ID,
            CheckStatus::Failed,
            format!("its password is to change every {days} days, which no controller can do"),
            FIXED,
        ),
    }
}
