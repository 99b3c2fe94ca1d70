//! Delegation: to which services an account may act for users, and who may act so towards it.

use super::{Check, CheckStatus};
use crate::account::Account;
use crate::directory::principals::Principals;
use crate::security_descriptor::SecurityDescriptor;

const ID: &str = "delegation";
/// Unconstrained delegation (`userAccountControl`, MS-ADTS, section 2.2.16).
const TRUSTED_FOR_DELEGATION: i64 = 0x0008_0000;
/// Its own tickets are not to be forwarded.
const NOT_DELEGATED: i64 = 0x0010_0000;
/// Constrained delegation with protocol transition.
const TRUSTED_TO_AUTH_FOR_DELEGATION: i64 = 0x0100_0000;

/// What an account may be trusted with that is more than acting towards services that are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delegation {
    /// It may act for users that log on to it, towards every service.
    Unconstrained,
    /// It may act for users that did not log on to it, towards services that are named.
    ProtocolTransition,
}

impl Delegation {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Unconstrained, Self::ProtocolTransition];

    /// Its bit of `userAccountControl`.
    pub(in crate::account) const fn flag(self) -> i64 {
        match self {
            Self::Unconstrained => TRUSTED_FOR_DELEGATION,
            Self::ProtocolTransition => TRUSTED_TO_AUTH_FOR_DELEGATION,
        }
    }

    /// In words.
    pub(in crate::account) const fn shown(self) -> &'static str {
        match self {
            Self::Unconstrained => "unconstrained delegation",
            Self::ProtocolTransition => "protocol transition",
        }
    }
}

pub(in crate::account) fn check(account: &Account, names: &Principals) -> Check {
    let acting = account.acting.iter().flat_map(SecurityDescriptor::allowed);
    let acting: Vec<String> = acting.map(|sid| names.name(sid)).collect();
    delegation(&account.name, account.control, &account.delegates_to, &acting)
}

/// Checks the flags, the services to which it may delegate, and who may delegate to it.
pub(super) fn delegation(
    account: &str,
    control: Option<i64>,
    to: &[String],
    acting: &[String],
) -> Check {
    let Some(control) = control else {
        return Check::not_passed(
            ID,
            CheckStatus::Unknown,
            "userAccountControl is not shown".to_owned(),
            "look as an administrator",
        );
    };
    let has = |flag| control & flag != 0;
    let mut found = Vec::new();
    let mut remedy: Option<String> = None;
    let services = to.join(", ");
    if has(TRUSTED_FOR_DELEGATION) {
        found.push(
            "it is trusted for unconstrained delegation: an attacker who controls a container can act \
            as any user that logs on to it, everywhere"
                .to_owned(),
        );
        remedy = Some(format!(
            "end that: `kubectl gmsa account set {account} --end-delegation unconstrained`, and \
                 have an administrator name the services instead (msDS-AllowedToDelegateTo)"
        ));
    }
    if has(TRUSTED_TO_AUTH_FOR_DELEGATION) {
        let services = if to.is_empty() { "no service yet" } else { &services };
        found.push(format!(
            "it may be any user, without that user's logon, towards {services} (protocol transition)"
        ));
        remedy = remedy.or_else(|| {
            Some(format!(
                "keep that only if users log on by other means than Kerberos; else end it: `kubectl gmsa \
                 account set {account} --end-delegation protocol-transition`"
            ))
        });
    } else if !to.is_empty() {
        found.push(format!("it may act for users that log on to it, towards {services}"));
    }
    if !acting.is_empty() {
        found.push(format!("{} may be any user towards it", acting.join(", ")));
    }
    if has(NOT_DELEGATED) {
        found.push("its own tickets are not forwarded".to_owned());
    }
    let message = if found.is_empty() {
        "it takes part in no delegation".to_owned()
    } else {
        found.join("; ")
    };
    match remedy {
        Some(remedy) => Check::not_passed(ID, CheckStatus::Warning, message, remedy),
        None => Check::passed(ID, message),
    }
}
