//! Service principal names: whether an account alone has its own, and whether Kerberos works for the names
//! that clients use.

use std::net::IpAddr;

use gmsa_core::windows::encryption_types::{self, Standing};

use super::retrieval::list;
use super::{Check, CheckStatus};
use crate::account::Account;
use crate::directory::spn::{Aliases, Holders};
use crate::dn;

const UNIQUE: &str = "spn-unique";
const ALIAS: &str = "spn-alias";
const SERVICE: &str = "service-name";

/// Whether its service principal names are its alone, in its domain.
pub(in crate::account) fn checks(
    account: &Account,
    holders: &Holders,
    aliases: &Aliases,
) -> Vec<Check> {
    let names = &account.service_principal_names;
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if let Some(other) = holders.other(name, Some(&account.dn)) {
            found.push(Check::not_passed(
                UNIQUE,
                CheckStatus::Failed,
                format!("the service principal name {name} is that of {} too", other.dn),
                format!(
                    "remove it from one of them, because Kerberos gives tickets to neither: `kubectl gmsa \
                     account set {} --remove-spn {name}`, or `setspn -D {name} {}`",
                    account.name, other.name
                ),
            ));
        }
        if names.iter().take(index).any(|other| other.eq_ignore_ascii_case(name)) {
            found.push(Check::not_passed(
                UNIQUE,
                CheckStatus::Warning,
                format!("it has the service principal name {name} twice, in different case"),
                format!(
                    "remove one: `kubectl gmsa account set {} --remove-spn {name}`",
                    account.name
                ),
            ));
        }
    }
    if found.is_empty() {
        let message = if names.is_empty() {
            "it has no service principal names".to_owned()
        } else {
            format!("no other account of the domain has {}", list(names.iter().cloned()))
        };
        found.push(Check::passed(UNIQUE, message));
    }
    for name in names {
        found.extend(taking(name, Some(&account.dn), holders, aliases).map(|message| {
            Check::not_passed(
                ALIAS,
                CheckStatus::Warning,
                message,
                "give the service its own name, unless that is what you want",
            )
        }));
    }
    found
}

/// What a name takes from another account that has it by what its own names stand for, or the other way
/// round.
pub(in crate::account) fn taking(
    name: &str,
    except: Option<&str>,
    holders: &Holders,
    aliases: &Aliases,
) -> Option<String> {
    let holder = |names: Vec<String>| {
        names.into_iter().find_map(|name| holders.other(&name, except).map(|holder| (name, holder)))
    };
    if let Some((above, holder)) = holder(aliases.above(name)) {
        let kind = if holder.is_computer { "the computer " } else { "" };
        return Some(format!(
            "{name} goes to this account alone: {kind}{} had it by {above}, and services that run there \
             under its own account lose it (for http/NODE: remote PowerShell)",
            holder.name
        ));
    }
    holder(aliases.below(name)).map(|(below, holder)| {
        format!("{name} includes {below}, which {} has: tickets for that go there", holder.name)
    })
}

/// Whether clients that use a name get a Kerberos ticket that this account can read.
pub(in crate::account) fn service(
    account: &Account,
    name: &str,
    holders: &Holders,
    aliases: &Aliases,
) -> Check {
    let host = name.split_once('/').map_or(name, |(_, host)| host);
    let is_address = |host: &str| {
        let bare = host.trim_start_matches('[');
        bare.split(']').next().is_some_and(|host| host.parse::<IpAddr>().is_ok())
            || host.split(':').next().is_some_and(|host| host.parse::<IpAddr>().is_ok())
    };
    if is_address(host) {
        return Check::not_passed(
            SERVICE,
            CheckStatus::Failed,
            format!(
                "{name}: clients do not ask for Kerberos tickets for an address; they use NTLM"
            ),
            "have them use a DNS name, and give the account its service principal name",
        );
    }
    let own = |holder: &crate::directory::spn::Holder| dn::is_same(&holder.dn, &account.dn);
    let mut by = name.to_owned();
    let mut found = holders.of(name);
    if found.is_empty() {
        for above in aliases.above(name) {
            if !holders.of(&above).is_empty() {
                found = holders.of(&above);
                by = above;
            }
        }
    }
    match found {
        [] => Check::not_passed(
            SERVICE,
            CheckStatus::Failed,
            format!(
                "{name}: no account has this name, so clients fall back to NTLM, or fail without it"
            ),
            format!(
                "give it to the account: `kubectl gmsa account set {} --add-spn {name}`",
                account.name
            ),
        ),
        [holder] if own(holder) => {
            let judged = encryption_types::judge(account.encryption_types);
            let by = if by == name { String::new() } else { format!(", by {by}") };
            let message = format!("{name}: Kerberos works, with tickets for this account{by}");
            if judged.standing >= Standing::Warning {
                let remedy = encryption_types::REMEDY.replace("ACCOUNT", &account.name);
                let message = format!("{message}; but {}", judged.message);
                return Check::not_passed(SERVICE, CheckStatus::Warning, message, remedy);
            }
            Check::passed(SERVICE, message)
        }
        [holder] => Check::not_passed(
            SERVICE,
            CheckStatus::Failed,
            format!(
                "{name}: clients get a ticket for {} (by {by}), which containers of this account cannot \
                 read: the logon fails",
                holder.name
            ),
            format!(
                "give the name to the account (`kubectl gmsa account set {} --add-spn {name}`), after you \
                 took it from {} if it is listed there itself",
                account.name, holder.name
            ),
        ),
        several => {
            let names: Vec<&str> = several.iter().map(|holder| holder.name.as_str()).collect();
            Check::not_passed(
                SERVICE,
                CheckStatus::Failed,
                format!(
                    "{name}: {} have it, so Kerberos gives a ticket to none",
                    names.join(" and ")
                ),
                format!("remove it from all but one: `setspn -D {name} ACCOUNT`"),
            )
        }
    }
}
