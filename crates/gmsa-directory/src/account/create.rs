//! A new account: planned and checked first, because the directory accepts what does not work.

use std::collections::{BTreeSet, HashSet};

use gmsa_core::windows::encryption_types;
use ldap3::ldap_escape;

use super::check::service_names;
use super::name::{is_dns_name, is_valid_spn, valid_name};
use super::{CLASS, MEMBERSHIP, WORKSTATION, ldif};
use crate::directory::Directory;
use crate::directory::domain::child;
use crate::directory::principals::{DISABLED, Principal};
use crate::directory::spn::{Aliases, Holders};
use crate::error::Error;
use crate::security_descriptor::SecurityDescriptor;
use crate::sid::Sid;

/// AES-128 and AES-256, without RC4, which ends in 2026.
pub const ENCRYPTION_TYPES: i64 = encryption_types::AES;
/// All encryptions that an account can have (MS-KILE, section 2.2.7).
const ENCRYPTIONS: i64 = 0x1f;
/// Ten years; more is a slip of the finger.
const LONGEST_INTERVAL: u32 = 3650;

/// What is wished for.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name, with or without `$`, at most 15 characters.
    pub name: String,
    /// The DNS name under which its services are known; else `NAME.DOMAIN`.
    pub dns_host_name: Option<String>,
    /// The container; else `CN=Managed Service Accounts` of the domain.
    pub container: Option<String>,
    /// The names of its services, such as `http/web.contoso.com`.
    pub service_principal_names: Vec<String>,
    /// How many days a password lasts; cannot be changed later.
    pub interval_days: u32,
    /// The bits of the encryptions that it supports (MS-KILE, section 2.2.7).
    pub encryption_types: i64,
    /// Whether it can be used at once.
    pub enabled: bool,
    /// Who may read the password.
    pub allowed: Vec<Principal>,
}

/// An account that can be made.
#[derive(Clone, Debug)]
pub struct PlannedAccount {
    /// The distinguished name.
    pub dn: String,
    /// Attributes and values, in the order in which they are shown.
    attributes: Vec<(&'static str, Vec<Vec<u8>>)>,
    /// Changes that work, but have an effect on other accounts.
    pub warnings: Vec<String>,
}

impl PlannedAccount {
    /// The same as input for `ldapadd` (RFC 2849).
    #[must_use]
    pub fn ldif(&self) -> String {
        ldif::add(&self.dn, &self.attributes)
    }
}

impl Directory {
    /// Checks a new account against the directory; the error lists every problem.
    pub async fn plan(&self, wish: &NewAccount) -> Result<PlannedAccount, Error> {
        let mut problems = Vec::new();
        let name = match valid_name(&wish.name) {
            Ok(name) => name,
            Err(problem) => {
                problems.push(problem.to_string());
                wish.name.trim_end_matches('$')
            }
        };
        let domain = self.names().await?;
        let dns_host_name =
            wish.dns_host_name.clone().unwrap_or_else(|| format!("{name}.{}", domain.dns_name));
        if problems.is_empty() && !is_dns_name(&dns_host_name) {
            problems.push(format!("{dns_host_name} is not a full DNS name of a host"));
        }
        if !(1..=LONGEST_INTERVAL).contains(&wish.interval_days) {
            problems.push(format!(
                "a password cannot last {} days: take 1 to {LONGEST_INTERVAL}",
                wish.interval_days
            ));
        }
        let container = wish
            .container
            .clone()
            .unwrap_or_else(|| format!("CN=Managed Service Accounts,{}", self.root.domain));
        if self.object(&container, &["objectClass"]).await?.is_none() {
            problems
                .push(format!("there is no container {container} that {} may see", self.user()));
        }
        if problems.is_empty()
            && let Some(taken) = self.taken(name, &container).await?
        {
            problems.push(format!("the name {name} is taken by {taken}"));
        }
        let (taken, warnings) =
            self.judge_service_names(&wish.service_principal_names, &[], None).await?;
        problems.extend(taken);
        if !(1..=ENCRYPTIONS).contains(&wish.encryption_types) {
            problems.push(format!("{} are not encryption types", wish.encryption_types));
        }
        problems.extend(self.root_key_problem().await?);
        if !problems.is_empty() {
            return Err(Error::Refused { what: format!("create the account {name}"), problems });
        }
        Ok(PlannedAccount { warnings, ..planned(name, &container, &dns_host_name, wish) })
    }

    /// Makes a planned account.
    pub async fn create(&self, account: &PlannedAccount) -> Result<(), Error> {
        let set = |values: &Vec<Vec<u8>>| values.iter().cloned().collect::<HashSet<_>>();
        let attributes = account
            .attributes
            .iter()
            .map(|(name, values)| (name.as_bytes().to_vec(), set(values)))
            .collect();
        let made = self.add(&account.dn, attributes, &format!("create {}", account.dn)).await;
        let names = account.attributes.iter().filter(|(name, _)| *name == "servicePrincipalName");
        let names: Vec<String> = names
            .flat_map(|(_, values)| values)
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect();
        self.naming_holders(made, &names, None).await
    }

    /// Adds to a refused value (result 19) which account has which of the service principal names: the
    /// controller does not report it.
    pub(super) async fn naming_holders(
        &self,
        done: Result<(), Error>,
        names: &[String],
        except: Option<&str>,
    ) -> Result<(), Error> {
        let Err(Error::Operation { server, what, mut why, remedy, code: 19 }) = done else {
            return done;
        };
        let (taken, _) = self.judge_service_names(names, &[], except).await?;
        for problem in taken {
            why.push_str("; ");
            why.push_str(&problem);
        }
        Err(Error::Operation { server, what, why, remedy, code: 19 })
    }

    /// Who has the name already, as an account or in the container.
    async fn taken(&self, name: &str, container: &str) -> Result<Option<String>, Error> {
        let dn = child(name, container);
        if self.object(&dn, &["objectClass"]).await?.is_some() {
            return Ok(Some(dn));
        }
        let name = ldap_escape(name);
        let filter = format!("(|(sAMAccountName={name}$)(sAMAccountName={name}))");
        let found = self.find(&filter, &["sAMAccountName"], "look for the name").await?;
        Ok(found.first().map(|entry| entry.dn.clone()))
    }

    /// Checks names that an account is to have in addition to its own: what prevents them, and which
    /// other accounts lose a name. `except` is the account, if it exists.
    pub(super) async fn judge_service_names(
        &self,
        names: &[String],
        present: &[String],
        except: Option<&str>,
    ) -> Result<(Vec<String>, Vec<String>), Error> {
        if names.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let aliases = self.aliases().await?;
        let wanted: BTreeSet<String> =
            names.iter().flat_map(|name| aliases.related(name)).collect();
        let holders = self.holders(&wanted).await?;
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        for (index, name) in names.iter().enumerate() {
            let given = names.iter().take(index).chain(present);
            if !is_valid_spn(name) {
                problems.push(format!("{name} is not a service principal name (class/host)"));
            } else if given.into_iter().any(|other| other.eq_ignore_ascii_case(name)) {
                problems.push(format!("the service principal name {name} is given twice"));
            } else if let Some(problem) = taken(name, except, &holders, aliases) {
                problems.push(problem);
            } else {
                warnings.extend(service_names::taking(name, except, &holders, aliases));
            }
        }
        Ok((problems, warnings))
    }
}

/// Why a controller would refuse a name: another account has it or an equivalent one.
fn taken(name: &str, except: Option<&str>, holders: &Holders, aliases: &Aliases) -> Option<String> {
    if let Some(holder) = holders.other(name, except) {
        return Some(format!("the service principal name {name} is taken by {}", holder.dn));
    }
    let below = aliases
        .below(name)
        .into_iter()
        .find_map(|below| holders.other(&below, except).map(|holder| (below, holder.dn.clone())));
    below.map(|(below, dn)| {
        format!(
            "the service principal name {name} includes {below}, which {dn} has: controllers refuse that"
        )
    })
}

fn planned(name: &str, container: &str, dns_host_name: &str, wish: &NewAccount) -> PlannedAccount {
    let text = |value: &str| vec![value.as_bytes().to_vec()];
    let sids: Vec<Sid> = wish.allowed.iter().map(|principal| principal.sid.clone()).collect();
    let control = if wish.enabled { WORKSTATION } else { WORKSTATION | DISABLED };
    let mut attributes = vec![
        ("objectClass", text(CLASS)),
        ("sAMAccountName", text(&format!("{name}$"))),
        ("dNSHostName", text(dns_host_name)),
        // Without it every account is stored disabled.
        ("userAccountControl", text(&control.to_string())),
        ("msDS-ManagedPasswordInterval", text(&wish.interval_days.to_string())),
        ("msDS-SupportedEncryptionTypes", text(&wish.encryption_types.to_string())),
    ];
    if !wish.service_principal_names.is_empty() {
        let names = wish.service_principal_names.iter().map(|name| name.as_bytes().to_vec());
        attributes.push(("servicePrincipalName", names.collect()));
    }
    if !sids.is_empty() {
        attributes.push((MEMBERSHIP, vec![SecurityDescriptor::allowing(&sids).to_bytes()]));
    }
    PlannedAccount { dn: child(name, container), attributes, warnings: Vec::new() }
}

#[cfg(test)]
mod tests;
