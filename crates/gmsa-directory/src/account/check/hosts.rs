//! Whether a host may read an account's password, and can.

use super::retrieval::kind_of;
use super::{Check, CheckStatus};
use crate::account::Account;
use crate::account::access::Right;
use crate::directory::principals::{Principal, PrincipalKind};
use crate::time;

const ID: &str = "host-may-retrieve";
/// Windows changes the password of a computer every 30 days; one twice as old was not changed, and a node
/// that has been off or whose rotation is broken cannot log on with it.
const OLD: u64 = 60;

pub(in crate::account) fn check(account: &Account, host: &Principal, right: &Right) -> Check {
    let message = right.sentence(&host.name, false);
    let name = &account.name;
    match (right.may, &right.but) {
        (Some(true), None) => {
            let check = Check::passed(ID, message);
            match old_password(host) {
                Some((words, remedy)) => Check {
                    status: CheckStatus::Warning,
                    message: format!("{}; {words}", check.message),
                    ..check
                }
                .advising(remedy),
                None => check,
            }
        }
        (Some(true), Some(_)) => Check::not_passed(
            ID,
            CheckStatus::Failed,
            message,
            format!("enable the account of the {}, or extend it", kind_of(host)),
        ),
        (Some(false), _) if right.why.is_empty() => {
            let restart = match host.kind {
                PrincipalKind::Computer => {
                    "; a host that joined an allowed group must restart first"
                }
                _ => "",
            };
            let who = host.name.trim_end_matches('$');
            // Names of groups have spaces.
            let quote = if who.contains(char::is_whitespace) { "'" } else { "" };
            let who = format!("{quote}{who}{quote}");
            let command = match host.kind {
                PrincipalKind::Computer => {
                    format!("kubectl gmsa account allow {name} --host {who}")
                }
                PrincipalKind::Group => format!("kubectl gmsa account allow {name} --group {who}"),
                PrincipalKind::Other => format!("kubectl gmsa account allow {name} --user {who}"),
            };
            let remedy = format!("allow it with `{command}`{restart}");
            Check::not_passed(ID, CheckStatus::Failed, message, remedy)
        }
        (Some(false), _) => Check::not_passed(
            ID,
            CheckStatus::Failed,
            message,
            format!(
                "take that entry out of msDS-GroupMSAMembership with the tool that made it, or the {} out \
                 of the group: an entry that allows it behind that one does not count",
                kind_of(host)
            ),
        ),
        (None, _) => Check::not_passed(
            ID,
            CheckStatus::Unknown,
            message,
            "look as an administrator, or prove it: `--as` with the password of the host",
        ),
    }
}

/// A computer whose password is far older than Windows lets one become.
fn old_password(host: &Principal) -> Option<(String, &'static str)> {
    let set = host.password_set.filter(|_| host.kind == PrincipalKind::Computer)?;
    let days = time::days_ago(set);
    (days > OLD).then(|| {
        (
            format!("its computer's password is {days} days old, where Windows changes it every 30"),
            "see on the node whether its trust still holds (Test-ComputerSecureChannel), and whether \
             controllers of Windows Server 2025 and older ones are mixed, which breaks the change of \
             passwords",
        )
    })
}
