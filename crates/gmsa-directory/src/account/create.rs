//! A new account: planned and checked first, because the directory accepts what does not work.

use std::collections::HashSet;

use ldap3::ldap_escape;

use super::name::{is_dns_name, is_valid_spn, valid_name};
use super::{CLASS, DISABLED, MEMBERSHIP, WORKSTATION, ldif};
use crate::directory::Directory;
use crate::error::Error;
use crate::facts::{Principal, child};
use crate::security_descriptor::SecurityDescriptor;
use crate::sid::Sid;

/// RC4, AES-128 and AES-256 (MS-KILE, section 2.2.7): what `New-ADServiceAccount` sets.
pub const ENCRYPTION_TYPES: i64 = 28;
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
        if !(1..=ENCRYPTIONS).contains(&wish.encryption_types) {
            problems.push(format!("{} are no encryption types", wish.encryption_types));
        }
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
    PlannedAccount { dn: child(name, container), attributes }
}

#[cfg(test)]
mod tests;
