//! Group managed service accounts: made, read, allowed to hosts, checked, removed.

mod check;
mod create;
mod ldif;
mod name;
mod retrieve;
mod root_key;

use ldap3::ldap_escape;

pub use check::{Check, CheckStatus, check};
pub use create::{ENCRYPTION_TYPES, NewAccount, PlannedAccount};
pub use name::{InvalidName, is_valid_spn, valid_name};

use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::Error;
use crate::facts::Principal;
use crate::security_descriptor::SecurityDescriptor;
use crate::sid::Sid;

/// The class of the accounts (MS-ADSC).
const CLASS: &str = "msDS-GroupManagedServiceAccount";
/// The attribute that says who may read the password (MS-ADA2, section 2.351).
const MEMBERSHIP: &str = "msDS-GroupMSAMembership";
/// The flag of `userAccountControl` that disables an account (MS-ADTS, section 2.2.16).
const DISABLED: i64 = 2;
/// The flag for an account of a server or workstation, which these are.
const WORKSTATION: i64 = 4096;

/// The services that it may act towards for users (MS-ADA2, section 2.210).
const DELEGATES_TO: &str = "msDS-AllowedToDelegateTo";
/// Who may act towards it for users (MS-ADA2, section 2.209).
const ACTING: &str = "msDS-AllowedToActOnBehalfOfOtherIdentity";

const ATTRIBUTES: [&str; 11] = [
    "objectClass",
    "objectSid",
    "sAMAccountName",
    "dNSHostName",
    "userAccountControl",
    "servicePrincipalName",
    "msDS-ManagedPasswordInterval",
    "msDS-SupportedEncryptionTypes",
    MEMBERSHIP,
    DELEGATES_TO,
    ACTING,
];

/// A group managed service account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The distinguished name.
    pub dn: String,
    /// The SAM name without `$`.
    pub name: String,
    /// The SID.
    pub sid: Sid,
    /// Whether it is of the class of group managed service accounts.
    pub is_group_managed: bool,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The DNS name under which its services are known.
    pub dns_host_name: Option<String>,
    /// The names of its services.
    pub service_principal_names: Vec<String>,
    /// How many days a password lasts.
    pub interval_days: Option<i64>,
    /// The bits of the encryptions that it supports (MS-KILE, section 2.2.7).
    pub encryption_types: Option<i64>,
    /// Who may read the password; None if nobody may, or if it may not be seen.
    pub membership: Option<SecurityDescriptor>,
    /// The flags of the account (`userAccountControl`, MS-ADTS, section 2.2.16).
    pub control: Option<i64>,
    /// The services that it may act towards for users.
    pub delegates_to: Vec<String>,
    /// Who may act towards it for users.
    pub acting: Option<SecurityDescriptor>,
}

impl Directory {
    /// Finds an account by its name, with or without `$`.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, Error> {
        let name = name.trim_end_matches('$');
        let filter = format!("(sAMAccountName={}$)", ldap_escape(name));
        let what = format!("look up the account {name}");
        let found = self.find(&filter, &ATTRIBUTES, &what).await?;
        found.first().map(|entry| self.read_account(entry)).transpose()
    }

    /// Finds a group managed service account, or says why there is none.
    async fn managed_account(&self, name: &str) -> Result<Account, Error> {
        let account = self.account(name).await?;
        let account = account.ok_or_else(|| self.not_found(format!("the account {name}")))?;
        if account.is_group_managed {
            return Ok(account);
        }
        Err(Error::Refused {
            what: format!("change the account {name}"),
            problems: vec![format!("{} is no group managed service account", account.dn)],
        })
    }

    fn read_account(&self, entry: &Entry) -> Result<Account, Error> {
        let descriptor = |attribute: &'static str| {
            let descriptor = entry.bytes(attribute).map(SecurityDescriptor::from_bytes).transpose();
            descriptor.map_err(|error| self.answer(&entry.dn, attribute, &error))
        };
        let control = entry.number("userAccountControl");
        let name = entry.text("sAMAccountName").unwrap_or_default();
        Ok(Account {
            dn: entry.dn.clone(),
            name: name.trim_end_matches('$').to_owned(),
            sid: self.sid_of(entry)?,
            is_group_managed: entry.is_class(CLASS),
            enabled: control.is_some_and(|bits| bits & DISABLED == 0),
            dns_host_name: entry.text("dNSHostName"),
            service_principal_names: entry.texts("servicePrincipalName"),
            interval_days: entry.number("msDS-ManagedPasswordInterval"),
            encryption_types: entry.number("msDS-SupportedEncryptionTypes"),
            membership: descriptor(MEMBERSHIP)?,
            control,
            delegates_to: entry.texts(DELEGATES_TO),
            acting: descriptor(ACTING)?,
        })
    }

    /// Lets principals read the password of an account, and gives back those that could not before.
    /// All other entries stay as they are.
    pub async fn allow(
        &self,
        name: &str,
        principals: &[Principal],
        dry_run: bool,
    ) -> Result<Vec<Principal>, Error> {
        self.change(name, principals, dry_run, SecurityDescriptor::allow).await
    }

    /// Takes the right to read the password from principals, and gives back those that had it. All
    /// other entries stay as they are.
    pub async fn disallow(
        &self,
        name: &str,
        principals: &[Principal],
        dry_run: bool,
    ) -> Result<Vec<Principal>, Error> {
        self.change(name, principals, dry_run, SecurityDescriptor::disallow).await
    }

    async fn change(
        &self,
        name: &str,
        principals: &[Principal],
        dry_run: bool,
        change: impl Fn(&mut SecurityDescriptor, &Sid) -> bool,
    ) -> Result<Vec<Principal>, Error> {
        let account = self.managed_account(name).await?;
        let what = format!("change who may read the password of {}", account.dn);
        let mut descriptor =
            account.membership.unwrap_or_else(|| SecurityDescriptor::allowing(&[]));
        let mut changed = principals.to_vec();
        changed.retain(|principal| change(&mut descriptor, &principal.sid));
        if !descriptor.fits() {
            let problem = "that are more entries than 64 KiB hold: allow a group instead";
            return Err(Error::Refused { what, problems: vec![problem.to_owned()] });
        }
        if !changed.is_empty() && !dry_run {
            self.replace(&account.dn, MEMBERSHIP, descriptor.to_bytes(), &what).await?;
        }
        Ok(changed)
    }

    /// Removes an account, and gives back its distinguished name.
    pub async fn remove(&self, name: &str, dry_run: bool) -> Result<String, Error> {
        let account = self.managed_account(name).await?;
        if !dry_run {
            self.delete(&account.dn, &format!("remove {}", account.dn)).await?;
        }
        Ok(account.dn)
    }
}
