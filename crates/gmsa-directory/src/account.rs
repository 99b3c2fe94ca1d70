//! Group managed service accounts: made, read, allowed to hosts, checked, removed.

mod access;
mod check;
mod create;
mod ldif;
mod name;
mod retrieve;
mod root_key;
mod set;
mod survey;

use std::time::SystemTime;

use futures::future::try_join_all;
use ldap3::ldap_escape;

pub use access::{Effect, Group, Right};
pub use check::delegation::Delegation;
pub use check::{CHECKS, Check, CheckStatus, Detail, check};
pub use create::{ENCRYPTION_TYPES, NewAccount, PlannedAccount};
pub use name::{InvalidName, is_valid_spn, valid_name};
pub use set::{AccountChange, Expiry, NoExpiry, PlannedChange};
pub use survey::Survey;
use uuid::Uuid;

use crate::directory::Directory;
use crate::directory::principals::{BATCH, DISABLED, any, by_identity};
use crate::dn;
use crate::entry::Entry;
use crate::error::Error;
use crate::security_descriptor::SecurityDescriptor;
use crate::sid::Sid;
use crate::time;

/// The class of the accounts (MS-ADSC).
const CLASS: &str = "msDS-GroupManagedServiceAccount";
/// The attribute with the descriptor of who may read the password (MS-ADA2, section 2.351).
const MEMBERSHIP: &str = "msDS-GroupMSAMembership";
/// Its identifier in the schema.
const MEMBERSHIP_GUID: &str = "888eedd6-ce04-df40-b462-b8a50e41ba38";
/// The kinds of managed accounts that containers cannot use, and what they are called.
const OTHER_KINDS: [(&str, &str); 2] = [
    (
        "msDS-DelegatedManagedServiceAccount",
        "a delegated managed service account (dMSA), which is bound to the machines that take over an \
         account and is not for containers",
    ),
    (
        "msDS-ManagedServiceAccount",
        "a standalone managed service account (sMSA), which one computer alone can use",
    ),
];
/// The flag for an account of a server or workstation, which these are.
const WORKSTATION: i64 = 4096;

/// When it expires, as a `FILETIME` (MS-ADA1, section 2.1).
const EXPIRES: &str = "accountExpires";
/// The services that it may act towards for users (MS-ADA2, section 2.210).
const DELEGATES_TO: &str = "msDS-AllowedToDelegateTo";
/// Who may act towards it for users (MS-ADA2, section 2.209).
const ACTING: &str = "msDS-AllowedToActOnBehalfOfOtherIdentity";

const ATTRIBUTES: [&str; 14] = [
    "objectClass",
    "objectSid",
    "sAMAccountName",
    "dNSHostName",
    "userAccountControl",
    "servicePrincipalName",
    "msDS-ManagedPasswordInterval",
    "msDS-SupportedEncryptionTypes",
    "msDS-ManagedPasswordId",
    EXPIRES,
    "description",
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
    /// What it is instead, if it is another kind of managed account.
    pub other_kind: Option<&'static str>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// When it expires, if ever.
    pub expires: Option<SystemTime>,
    /// The same as it was read.
    expires_value: Option<i64>,
    /// What it is for.
    pub description: Option<String>,
    /// The root key of which its password is made, if it is shown.
    pub root_key: Option<Uuid>,
    /// The DNS name under which its services are known.
    pub dns_host_name: Option<String>,
    /// The names of its services.
    pub service_principal_names: Vec<String>,
    /// How many days a password lasts.
    pub interval_days: Option<i64>,
    /// The bits of the encryptions that it supports (MS-KILE, section 2.2.7).
    pub encryption_types: Option<i64>,
    /// Who may read the password; None if nobody may, or if it may not be seen or cannot be read.
    pub membership: Option<SecurityDescriptor>,
    /// The same as it was read.
    membership_value: Option<Vec<u8>>,
    /// Why it cannot be read.
    membership_problem: Option<String>,
    /// The flags of the account (`userAccountControl`, MS-ADTS, section 2.2.16).
    pub control: Option<i64>,
    /// The services that it may act towards for users.
    pub delegates_to: Vec<String>,
    /// Who may act towards it for users.
    pub acting: Option<SecurityDescriptor>,
}

impl Account {
    /// When it expired, if it did.
    #[must_use]
    pub fn expired(&self) -> Option<String> {
        let expired = self.expires.filter(|moment| *moment <= SystemTime::now());
        expired.map(time::day)
    }
}

impl Directory {
    /// Finds an account by its name, with or without `$` and a domain, by its distinguished name, or its
    /// SID.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, Error> {
        let mut found = self.accounts(&[name]).await?;
        found.pop().unwrap_or(Ok(None))
    }

    /// Finds several accounts, each of which may be of another domain.
    pub(crate) async fn accounts(
        &self,
        names: &[&str],
    ) -> Result<Vec<Result<Option<Account>, Error>>, Error> {
        let mut filters = Vec::new();
        for name in names {
            filters.push(match by_identity(name) {
                Some(filter) => Ok(filter),
                None => match self.bare(&format!("the account {name}"), name).await {
                    Ok(bare) => {
                        let bare = ldap_escape(bare.trim_end_matches('$')).into_owned();
                        Ok(format!("(sAMAccountName={bare}$)"))
                    }
                    Err(error) if error.is_finding() => Err(error),
                    Err(error) => return Err(error),
                },
            });
        }
        let wanted: Vec<&String> = filters.iter().flatten().collect();
        let searches = wanted.chunks(BATCH).map(|filters| async move {
            let what = match names {
                [name] => format!("look up the account {name}"),
                names => format!("look up {} accounts", names.len()),
            };
            self.find(&any(filters.iter().map(ToString::to_string)), &ATTRIBUTES, &what).await
        });
        let mut found = Vec::new();
        for entry in try_join_all(searches).await?.iter().flatten() {
            found.push(self.read_account(entry)?);
        }
        let of = |(name, filter): (&&str, Result<String, Error>)| {
            filter.map(|_| found.iter().find(|account| account.is_called(name)).cloned())
        };
        Ok(names.iter().zip(filters).map(of).collect())
    }

    /// Finds a group managed service account; the error says why there is none.
    async fn managed_account(&self, name: &str) -> Result<Account, Error> {
        let account = self.account(name).await?;
        let account = account.ok_or_else(|| self.not_found(format!("the account {name}")))?;
        if account.is_group_managed {
            return Ok(account);
        }
        let kind = account.other_kind.map_or_else(String::new, |kind| format!(", but {kind}"));
        Err(Error::Refused {
            what: format!("change the account {name}"),
            problems: vec![format!("{} is not a group managed service account{kind}", account.dn)],
        })
    }

    fn read_account(&self, entry: &Entry) -> Result<Account, Error> {
        let descriptor = |attribute: &str| {
            let descriptor = entry.bytes(attribute).map(SecurityDescriptor::from_bytes).transpose();
            match descriptor {
                Ok(descriptor) => (descriptor, None),
                Err(error) => (None, Some(error.to_string())),
            }
        };
        let control = entry.number("userAccountControl");
        let name = entry.text("sAMAccountName").unwrap_or_default();
        let (membership, membership_problem) = descriptor(MEMBERSHIP);
        let kind = OTHER_KINDS.iter().find(|(class, _)| entry.is_class(class));
        Ok(Account {
            dn: entry.dn.clone(),
            name: name.trim_end_matches('$').to_owned(),
            sid: self.sid_of(entry)?,
            is_group_managed: entry.is_class(CLASS),
            other_kind: kind.map(|(_, words)| *words),
            enabled: control.is_some_and(|bits| bits & DISABLED == 0),
            expires: entry.moment(EXPIRES),
            expires_value: entry.number(EXPIRES),
            description: entry.text("description"),
            root_key: entry.bytes("msDS-ManagedPasswordId").and_then(root_key::key_of),
            dns_host_name: entry.text("dNSHostName"),
            service_principal_names: entry.texts("servicePrincipalName"),
            interval_days: entry.number("msDS-ManagedPasswordInterval"),
            encryption_types: entry.number("msDS-SupportedEncryptionTypes"),
            membership,
            membership_value: entry.bytes(MEMBERSHIP).map(<[u8]>::to_vec),
            membership_problem,
            control,
            delegates_to: entry.texts(DELEGATES_TO),
            acting: descriptor(ACTING).0,
        })
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

impl Account {
    /// Whether a name, in any form that [`Directory::account`] accepts, is its own.
    fn is_called(&self, name: &str) -> bool {
        if let Ok(sid) = name.parse::<Sid>() {
            return sid == self.sid;
        }
        if name.contains('=') {
            return dn::is_same(name, &self.dn);
        }
        // A domain was compared before.
        let bare = name.split_once('\\').map_or(name, |(_, bare)| bare);
        let bare = bare.rsplit_once('@').map_or(bare, |(bare, _)| bare);
        bare.trim_end_matches('$').to_lowercase() == self.name.to_lowercase()
    }
}
