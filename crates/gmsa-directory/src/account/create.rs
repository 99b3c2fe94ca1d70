//! A new account: planned and checked first, because the directory accepts what does not work.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ldap3::{Scope, ldap_escape};

use super::name::{is_dns_name, is_valid_spn, valid_name};
use super::{CLASS, MEMBERSHIP, WORKSTATION, ldif};
use crate::directory::Directory;
use crate::error::Error;
use crate::facts::{Principal, child};
use crate::security_descriptor::SecurityDescriptor;
use crate::sid::Sid;

/// RC4, AES-128 and AES-256 (MS-KILE, section 2.2.7): what `New-ADServiceAccount` sets.
const ENCRYPTION_TYPES: &str = "28";
/// Ten years; more is a slip of the finger.
const LONGEST_INTERVAL: u32 = 3650;
/// How long a root key must have been valid before the controllers use it.
const KEY_DELAY: Duration = Duration::from_mins(10 * 60 + 5);
/// Seconds between 1601, where Windows counts from, and 1970.
const EPOCH_DIFFERENCE: u64 = 11_644_473_600;

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
}

impl PlannedAccount {
    /// The same as a file that `ldapadd` takes (RFC 2849).
    #[must_use]
    pub fn ldif(&self) -> String {
        ldif::add(&self.dn, &self.attributes)
    }
}

impl Directory {
    /// Checks what is wished for against the directory; every problem is told at once.
    pub async fn plan(&self, wish: &NewAccount) -> Result<PlannedAccount, Error> {
        let mut problems = Vec::new();
        let name = match valid_name(&wish.name) {
            Ok(name) => name,
            Err(problem) => {
                problems.push(problem.to_string());
                wish.name.trim_end_matches('$')
            }
        };
        let domain = self.domain().await?;
        let dns_host_name =
            wish.dns_host_name.clone().unwrap_or_else(|| format!("{name}.{}", domain.dns_name));
        if problems.is_empty() && !is_dns_name(&dns_host_name) {
            problems.push(format!("{dns_host_name} is no full DNS name of a host"));
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
        problems.extend(self.spn_problems(&wish.service_principal_names).await?);
        problems.extend(self.root_key_problem().await?);
        if !problems.is_empty() {
            return Err(Error::Refused { what: format!("create the account {name}"), problems });
        }
        Ok(planned(name, &container, &dns_host_name, wish))
    }

    /// Makes a planned account.
    pub async fn create(&self, account: &PlannedAccount) -> Result<(), Error> {
        let set = |values: &Vec<Vec<u8>>| values.iter().cloned().collect::<HashSet<_>>();
        let attributes = account
            .attributes
            .iter()
            .map(|(name, values)| (name.as_bytes().to_vec(), set(values)))
            .collect();
        self.add(&account.dn, attributes, &format!("create {}", account.dn)).await
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

    async fn spn_problems(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let repeated = |other: &&String| other.eq_ignore_ascii_case(name);
            if !is_valid_spn(name) {
                problems.push(format!("{name} is no service principal name (class/host)"));
            } else if names.iter().take(index).any(|other| repeated(&other)) {
                problems.push(format!("the service principal name {name} is given twice"));
            } else if let Some(owner) = self.spn_owner(name, None).await? {
                problems.push(format!("the service principal name {name} is taken by {owner}"));
            }
        }
        Ok(problems)
    }

    /// Who has a service principal name, other than one object.
    pub(super) async fn spn_owner(
        &self,
        name: &str,
        except: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let filter = format!("(servicePrincipalName={})", ldap_escape(name));
        let what = format!("look for the service principal name {name}");
        let found = self.find(&filter, &["cn"], &what).await?;
        let other = |dn: &String| except.is_none_or(|except| !dn.eq_ignore_ascii_case(except));
        Ok(found.into_iter().map(|entry| entry.dn).find(other))
    }

    /// What is wrong with the root keys of the forest. Who may not see them is shown none, so that
    /// none says nothing.
    pub(super) async fn root_key_problem(&self) -> Result<Option<String>, Error> {
        let base = format!(
            "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,{}",
            self.root.configuration
        );
        let filter = "(objectClass=msKds-ProvRootKey)";
        let attributes = ["msKds-UseStartTime"];
        let what = "look for KDS root keys";
        let found = match self.search(&base, Scope::OneLevel, filter, &attributes, what).await {
            Ok(found) => found,
            Err(Error::Operation { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let starts = found.iter().map(|entry| entry.number("msKds-UseStartTime").map(time_of));
        // One whose start may not be seen may well be usable.
        let Some(first) = starts.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min())
        else {
            return Ok(None);
        };
        let usable = first + KEY_DELAY;
        let wait = usable.duration_since(SystemTime::now()).unwrap_or_default();
        Ok((!wait.is_zero()).then(|| {
            format!(
                "the KDS root key of the forest is too new: accounts can be made in {} h {} min",
                wait.as_secs() / 3600,
                wait.as_secs() / 60 % 60 + 1
            )
        }))
    }
}

/// A moment in steps of 100 ns since 1601 (`FILETIME`, MS-DTYP, section 2.3.3).
fn time_of(filetime: i64) -> SystemTime {
    let ticks = u64::try_from(filetime).unwrap_or_default();
    let seconds = Duration::from_secs(ticks / 10_000_000);
    UNIX_EPOCH + seconds.saturating_sub(Duration::from_secs(EPOCH_DIFFERENCE))
}

fn planned(name: &str, container: &str, dns_host_name: &str, wish: &NewAccount) -> PlannedAccount {
    let text = |value: &str| vec![value.as_bytes().to_vec()];
    let sids: Vec<Sid> = wish.allowed.iter().map(|principal| principal.sid.clone()).collect();
    let mut attributes = vec![
        ("objectClass", text(CLASS)),
        ("sAMAccountName", text(&format!("{name}$"))),
        ("dNSHostName", text(dns_host_name)),
        // Without it the account is stored disabled.
        ("userAccountControl", text(&WORKSTATION.to_string())),
        ("msDS-ManagedPasswordInterval", text(&wish.interval_days.to_string())),
        ("msDS-SupportedEncryptionTypes", text(ENCRYPTION_TYPES)),
    ];
    if !wish.service_principal_names.is_empty() {
        let names = wish.service_principal_names.iter().map(|name| name.as_bytes().to_vec());
        attributes.push(("servicePrincipalName", names.collect()));
    }
    if !sids.is_empty() {
        attributes.push((MEMBERSHIP, vec![SecurityDescriptor::allowing(&sids).to_bytes()]));
    }
    PlannedAccount { dn: child(name, container), attributes }
}

#[cfg(test)]
mod tests;
