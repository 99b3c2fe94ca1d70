//! Who may read an account's password.

use gmsa_core::printable::listed;

use super::{Check, CheckStatus};
use crate::account::Account;
use crate::account::access::Membership;
use crate::directory::principals::{Principal, PrincipalKind, Principals};
use crate::security_descriptor::{Ace, READ_PROPERTY, SecurityDescriptor, Token};
use crate::sid::Sid;

const ID: &str = "retrieval";
/// How many names a message lists.
pub(in crate::account) const SHOWN: usize = 12;
const ALLOW: &str = "allow the hosts with `kubectl gmsa account allow`; for hosts outside the domain allow \
     the user whose credentials their plug-in holds";
/// Which domain controller the tests ran against.
const TRIED: &str = "seen with Samba 4.22; Windows was not tried";

pub(in crate::account) fn check(
    account: &Account,
    membership: Membership<'_>,
    names: &Principals,
    user: &str,
) -> Check {
    let descriptor = match membership {
        Membership::Known(descriptor) => descriptor,
        Membership::Absent => {
            let message = "nobody may read the password".to_owned();
            return Check::not_passed(ID, CheckStatus::Warning, message, ALLOW);
        }
        Membership::NotShown => {
            return Check::not_passed(
                ID,
                CheckStatus::Unknown,
                format!("who may read the password is not shown to {user}, or nobody may"),
                "look as a user with the right to read msDS-GroupMSAMembership",
            );
        }
        Membership::Unreadable(problem) => {
            return Check::not_passed(
                ID,
                CheckStatus::Failed,
                format!("msDS-GroupMSAMembership cannot be read: {problem}"),
                "remove its value with the tool that made it, then allow the hosts again",
            );
        }
    };
    let Some(dacl) = &descriptor.dacl else { return without_list(account, descriptor) };
    let name = |sid: &Sid| names.name(sid);
    let allowed: Vec<&Sid> = descriptor.allowed().collect();
    let mut message = if allowed.is_empty() {
        "nobody may read the password".to_owned()
    } else {
        format!("the password may be read by {}", list(allowed.iter().map(|sid| name(sid))))
    };
    let others: Vec<String> = descriptor.others().map(|entry| in_words(entry, &name)).collect();
    if !others.is_empty() {
        message.push_str(&format!("; other entries: {}", list(others.iter().cloned())));
    }
    let wide: Vec<&Sid> = allowed.iter().filter(|sid| sid.is_too_wide()).copied().collect();
    let mut check = if !wide.is_empty() {
        let wide = wide.iter().map(|sid| name(sid)).collect::<Vec<_>>();
        let message = format!(
            "{message}; {} includes far more than the nodes: an attacker who controls one of these accounts \
            can act as this account",
            wide.join(", ")
        );
        let remedy = format!(
            "allow a group of the nodes, then take the right from the others: `kubectl gmsa account \
             disallow {} --group '{}'`",
            account.name,
            wide.first().map_or("", String::as_str)
        );
        Check::not_passed(ID, CheckStatus::Warning, message, remedy)
    } else if allowed.iter().any(|sid| !names.is_gone(sid)) {
        Check::passed(ID, message)
    } else {
        Check::not_passed(ID, CheckStatus::Warning, message, ALLOW)
    };
    if dacl.entries.len() > SHOWN {
        check.details = allowed.iter().map(|sid| name(sid)).chain(others).collect();
    }
    check
}

/// No list of entries: with the bit that says so everyone may, without it nobody.
fn without_list(account: &Account, descriptor: &SecurityDescriptor) -> Check {
    let everyone =
        descriptor.access(&Token::new([], true)) != crate::security_descriptor::Access::NoList;
    if everyone {
        let message = format!(
            "everyone may read the password: the descriptor has a null list of entries, which is not an \
             empty one ({TRIED})"
        );
        let remedy = format!(
            "remove msDS-GroupMSAMembership with the tool that made it, then allow the hosts, or a group \
             of them: `kubectl gmsa account allow {}`",
            account.name
        );
        return Check::not_passed(ID, CheckStatus::Warning, message, remedy);
    }
    let message =
        format!("nobody may read the password: the descriptor has no list of entries ({TRIED})");
    Check::not_passed(ID, CheckStatus::Warning, message, ALLOW)
}

/// The first names, and how many more there are.
pub(super) fn list(names: impl Iterator<Item = String>) -> String {
    listed(names, SHOWN)
}

fn in_words(entry: &Ace, name: &dyn Fn(&Sid) -> String) -> String {
    match entry {
        Ace::Basic { deny: true, flags: 0, mask, sid } if mask & READ_PROPERTY != 0 => {
            format!("denied to {}", name(sid))
        }
        Ace::Basic { deny, flags, mask, sid } => {
            let kind = if *deny { "denying" } else { "allowing" };
            let flags = if *flags == 0 { String::new() } else { format!(", flags {flags:#x}") };
            format!(
                "one {kind} {} the rights {mask:#x}{flags}, which does not count here",
                name(sid)
            )
        }
        Ace::Conditional { deny, sid, .. } => {
            let kind = if *deny { "denying" } else { "allowing" };
            format!("one {kind} {} under a condition", name(sid))
        }
        Ace::Other(_) => format!("{entry}, which counts for nothing ({TRIED})"),
    }
}

/// The word for what a principal is.
pub(super) const fn kind_of(principal: &Principal) -> &'static str {
    match principal.kind {
        PrincipalKind::Computer => "computer",
        PrincipalKind::Group => "group",
        PrincipalKind::Other => "user",
    }
}
