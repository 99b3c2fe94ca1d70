//! Computers, groups and users: found by every usual name, and with the SIDs that they have when they
//! log on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::SystemTime;

use futures::future::try_join_all;
use ldap3::ldap_escape;
use uuid::Uuid;

use crate::directory::domain::Names;
use crate::directory::{DESCRIPTOR, Directory};
use crate::entry::Entry;
use crate::error::Error;
use crate::security_descriptor::{SecurityDescriptor, Token};
use crate::sid::Sid;
use crate::time;

/// How many objects one search asks for.
pub(crate) const BATCH: usize = 100;
/// The flag of `userAccountControl` that disables an account (MS-ADTS, section 2.2.16).
pub(crate) const DISABLED: i64 = 2;
/// Names of computer accounts are cut there, as NetBIOS names are.
const NETBIOS_LENGTH: usize = 15;
/// `tokenGroups` and its property set (MS-ADA3, section 2.359).
const TOKEN_GROUPS: [&str; 2] =
    ["b7c69e6d-2cc7-11d2-854e-00a0c983f608", "037088f8-0ae1-11d2-b422-00a0c968f939"];

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A computer, such as a Windows node.
    Computer,
    /// A group.
    Group,
    /// Anything else with a SID.
    Other,
}

/// A user, group or computer that can be given a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The distinguished name; empty for one that means the same in every domain.
    pub dn: String,
    /// The SAM name: a computer's ends with `$`.
    pub name: String,
    /// The SID.
    pub sid: Sid,
    /// What it is.
    pub kind: PrincipalKind,
    /// The flags of the account (`userAccountControl`); None if there are none or they are not shown.
    pub control: Option<i64>,
    /// When the account expires, if ever.
    pub expires: Option<SystemTime>,
    /// When its password was set last.
    pub password_set: Option<SystemTime>,
    /// The bits of the encryptions that it supports (MS-KILE, section 2.2.7).
    pub encryption_types: Option<i64>,
    /// The DNS name of a computer.
    pub host_name: Option<String>,
}

pub(crate) const PRINCIPAL: [&str; 9] = [
    "sAMAccountName",
    "objectSid",
    "objectClass",
    "cn",
    "userAccountControl",
    "accountExpires",
    "pwdLastSet",
    "msDS-SupportedEncryptionTypes",
    "dNSHostName",
];

impl Principal {
    /// Why it cannot log on, if it cannot: it is disabled or has expired.
    #[must_use]
    pub fn locked_out(&self) -> Option<String> {
        if self.control.is_some_and(|bits| bits & DISABLED != 0) {
            return Some("is disabled".to_owned());
        }
        let expired = self.expires.filter(|moment| *moment <= SystemTime::now());
        expired.map(|moment| format!("expired on {}", time::day(moment)))
    }

    /// One that means the same in every domain.
    fn well_known(sid: Sid) -> Option<Self> {
        let name = sid.well_known()?.to_owned();
        Some(Self {
            dn: String::new(),
            name,
            sid,
            kind: PrincipalKind::Group,
            control: None,
            expires: None,
            password_set: None,
            encryption_types: None,
            host_name: None,
        })
    }
}

/// The principals of SIDs that were looked up.
#[derive(Debug, Default)]
pub(crate) struct Principals {
    known: HashMap<Sid, Principal>,
    gone: HashSet<Sid>,
}

impl Principals {
    /// The SAM name; the SID where that is not known.
    pub(crate) fn name(&self, sid: &Sid) -> String {
        self.known.get(sid).map_or_else(|| sid.to_string(), |one| one.name.clone())
    }

    /// Whether a SID was looked up, and nobody has it.
    pub(crate) fn is_gone(&self, sid: &Sid) -> bool {
        self.gone.contains(sid)
    }
}

impl Directory {
    /// Finds a computer by its name, with or without `$` and a domain, by its DNS name, its
    /// distinguished name, or its SID.
    pub async fn computer(&self, name: &str) -> Result<Principal, Error> {
        let what = format!("the computer {name}");
        if let Some(filter) = by_identity(name) {
            let filter = format!("(&(objectClass=computer){filter})");
            return self.one_principal(&what, name, &filter).await;
        }
        let bare = self.bare(&what, name).await?.trim_end_matches('$');
        let mut found = self.computers(&[bare]).await?;
        let found = found.pop().unwrap_or_default();
        self.only(&what, name, found)
    }

    /// Finds the computers of several hosts, each given by its DNS name or the name of its account. Each
    /// host has none, one, or several.
    pub async fn computers(&self, hosts: &[&str]) -> Result<Vec<Vec<Principal>>, Error> {
        let filter = |host: &&str| {
            let (dns, account) = (ldap_escape(*host), ldap_escape(account_name(host)).into_owned());
            if host.contains('.') {
                format!("(dNSHostName={dns})(sAMAccountName={account}$)")
            } else {
                format!("(sAMAccountName={account}$)")
            }
        };
        let searches = hosts.chunks(BATCH).map(|hosts| async move {
            let filter = format!("(&(objectClass=computer){})", any(hosts.iter().map(filter)));
            self.find(&filter, &PRINCIPAL, &format!("look up {}", hosts.join(", "))).await
        });
        let found = try_join_all(searches).await?;
        let found: Vec<Principal> =
            found.iter().flatten().map(|entry| self.principal(entry)).collect::<Result<_, _>>()?;
        let mut by_host_name: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_account: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, computer) in found.iter().enumerate() {
            if let Some(name) = &computer.host_name {
                by_host_name.entry(name.to_lowercase()).or_default().push(at);
            }
            let account = computer.name.trim_end_matches('$').to_lowercase();
            by_account.entry(account).or_default().push(at);
        }
        let of = |host: &&str| {
            let exact = by_host_name.get(&host.to_lowercase()).filter(|_| host.contains('.'));
            let at = exact.cloned().unwrap_or_else(|| {
                let known = by_account.get(&account_name(host).to_lowercase());
                let known = known.into_iter().flatten().copied();
                known
                    .filter(|at| found.get(*at).is_some_and(|computer| may_be(computer, host)))
                    .collect()
            });
            let mut computers: Vec<Principal> =
                at.into_iter().filter_map(|at| found.get(at).cloned()).collect();
            computers.dedup_by(|one, other| one.sid == other.sid);
            computers
        };
        Ok(hosts.iter().map(of).collect())
    }

    /// Finds a group by its name, with or without a domain, its distinguished name, or its SID; those
    /// that every system has, such as Authenticated Users, too.
    pub async fn group(&self, name: &str) -> Result<Principal, Error> {
        let what = format!("the group {name}");
        let sid = name.parse::<Sid>().ok().or_else(|| Sid::of_well_known(name));
        if let Some(known) = sid.and_then(Principal::well_known) {
            return Ok(known);
        }
        let filter = if let Some(filter) = by_identity(name) {
            filter
        } else {
            let bare = ldap_escape(self.bare(&what, name).await?).into_owned();
            format!("(|(sAMAccountName={bare})(cn={bare}))")
        };
        self.one_principal(&what, name, &format!("(&(objectClass=group){filter})")).await
    }

    /// Finds a user by its name, with or without a domain, its distinguished name, or its SID.
    pub async fn user_account(&self, name: &str) -> Result<Principal, Error> {
        let what = format!("the user {name}");
        let filter = if let Some(filter) = by_identity(name) {
            filter
        } else {
            // A user's domain after @ may be any that the forest was given.
            let principal = ldap_escape(name);
            match self.bare(&what, name).await {
                Ok(bare) => {
                    let bare = ldap_escape(bare);
                    format!("(|(sAMAccountName={bare})(userPrincipalName={principal}))")
                }
                Err(Error::NotFound { .. }) if name.contains('@') => {
                    format!("(userPrincipalName={principal})")
                }
                Err(error) => return Err(error),
            }
        };
        self.one_principal(&what, name, &format!("(&(objectCategory=person){filter})")).await
    }

    /// A name without the domain before or after it, which must be this one: the same name in another
    /// domain is another principal.
    pub(crate) async fn bare<'a>(&self, what: &str, name: &'a str) -> Result<&'a str, Error> {
        let Some((domain, bare)) = split_domain(name) else { return Ok(name) };
        let Names { netbios_name, dns_name, .. } = self.names().await?;
        if [netbios_name, dns_name].iter().any(|own| own.eq_ignore_ascii_case(domain)) {
            return Ok(bare);
        }
        Err(self.not_found(format!("{what}, which is of another domain,")))
    }

    /// Finds those who have SIDs in this domain, and those whose SIDs mean the same everywhere.
    pub(crate) async fn principals_of(&self, sids: &BTreeSet<&Sid>) -> Result<Principals, Error> {
        let mut known: HashMap<Sid, Principal> = HashMap::new();
        let mut wanted = Vec::new();
        for sid in sids {
            match Principal::well_known((*sid).clone()) {
                Some(principal) => {
                    known.insert((*sid).clone(), principal);
                }
                None => wanted.push(*sid),
            }
        }
        let searches = wanted.chunks(BATCH).map(|sids| async move {
            // A SID in text is compared as one.
            let filter = any(sids.iter().map(|sid| format!("(objectSid={sid})")));
            self.find(&filter, &PRINCIPAL, "look up who has a right").await
        });
        for entry in try_join_all(searches).await?.iter().flatten() {
            let principal = self.principal(entry)?;
            known.insert(principal.sid.clone(), principal);
        }
        let gone = wanted.into_iter().filter(|sid| !known.contains_key(*sid)).cloned().collect();
        Ok(Principals { known, gone })
    }

    async fn one_principal(
        &self,
        what: &str,
        name: &str,
        filter: &str,
    ) -> Result<Principal, Error> {
        let found = self.find(filter, &PRINCIPAL, &format!("look up {what}")).await?;
        let found = found.iter().map(|entry| self.principal(entry)).collect::<Result<_, _>>()?;
        self.only(what, name, found)
    }

    fn only(&self, what: &str, name: &str, mut found: Vec<Principal>) -> Result<Principal, Error> {
        if found.len() > 1 {
            let found = found.into_iter().map(|one| one.dn).collect();
            return Err(Error::Ambiguous { name: name.to_owned(), found });
        }
        found.pop().ok_or_else(|| self.not_found(what.to_owned()))
    }

    fn principal(&self, entry: &Entry) -> Result<Principal, Error> {
        let kind = if entry.is_class("computer") {
            PrincipalKind::Computer
        } else if entry.is_class("group") {
            PrincipalKind::Group
        } else {
            PrincipalKind::Other
        };
        let name = entry.text("sAMAccountName").or_else(|| entry.text("cn"));
        Ok(Principal {
            dn: entry.dn.clone(),
            name: name.unwrap_or_else(|| entry.dn.clone()),
            sid: self.sid_of(entry)?,
            kind,
            control: entry.number("userAccountControl"),
            expires: entry.moment("accountExpires"),
            password_set: entry.moment("pwdLastSet"),
            encryption_types: entry.number("msDS-SupportedEncryptionTypes"),
            host_name: entry.text("dNSHostName"),
        })
    }

    /// The SIDs that principals have when they log on over the network: their own, those of all their
    /// groups, nested ones too, and those of every caller.
    pub async fn tokens(&self, principals: &[Principal]) -> Result<Vec<Token>, Error> {
        let tokens = principals.iter().map(|principal| self.token(principal));
        try_join_all(tokens).await
    }

    async fn token(&self, principal: &Principal) -> Result<Token, Error> {
        let (groups, everybody) =
            tokio::try_join!(self.groups_of(principal), self.of_every_caller())?;
        let complete = groups.is_some();
        let groups = groups.unwrap_or_default();
        let own = std::iter::once(principal.sid.clone());
        Ok(Token::new(own.chain(groups).chain(everybody.iter().cloned()), complete))
    }

    /// The groups of a principal; None if they are not shown.
    async fn groups_of(&self, principal: &Principal) -> Result<Option<Vec<Sid>>, Error> {
        if principal.dn.is_empty() {
            return Ok(Some(Vec::new()));
        }
        // Computed by the controller (MS-ADTS, section 3.1.1.4.5.19), at one object alone.
        let entry = self.object(&principal.dn, &["tokenGroups"]).await?;
        let mut sids = Vec::new();
        for value in entry.iter().flat_map(|entry| entry.values("tokenGroups")) {
            let sid = Sid::from_bytes(value);
            sids.push(sid.map_err(|error| self.answer(&principal.dn, "tokenGroups", &error))?);
        }
        // A computer or user is in one group at least.
        let shown = !sids.is_empty()
            || (principal.kind == PrincipalKind::Group
                && self.may_read(&principal.dn, &TOKEN_GROUPS).await?);
        Ok(shown.then_some(sids))
    }

    /// Everyone, NETWORK, Authenticated Users, and the built-in groups that these are members of.
    async fn of_every_caller(&self) -> Result<&Vec<Sid>, Error> {
        let read = || async {
            let mut sids: Vec<Sid> = Sid::of_every_caller().collect();
            let container = format!("CN=ForeignSecurityPrincipals,{}", self.root.domain);
            let members = any(sids.iter().map(|sid| format!("(member=CN={sid},{container})")));
            // Bit 1 of the type of a group: made by the system.
            let filter = format!("(&(groupType:1.2.840.113556.1.4.803:=1){members})");
            let what = "look up the groups of every caller";
            for entry in &self.find(&filter, &["objectSid"], what).await? {
                sids.push(self.sid_of(entry)?);
            }
            Ok(sids)
        };
        self.known.of_every_caller.get_or_try_init(read).await
    }

    /// Whether the user who is logged on may certainly read an attribute of an object, so that its absence
    /// means that it has no value. The attribute is given by its GUID, with that of its property set.
    pub(crate) async fn may_read(&self, dn: &str, attribute: &[&str]) -> Result<bool, Error> {
        let entry = match self.object(dn, &[DESCRIPTOR]).await {
            Ok(entry) => entry,
            Err(Error::Operation { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let value = entry.as_ref().and_then(|entry| entry.bytes(DESCRIPTOR));
        let Some(descriptor) = value.and_then(|value| SecurityDescriptor::from_bytes(value).ok())
        else {
            return Ok(false);
        };
        let attribute: Vec<Uuid> = attribute.iter().filter_map(|guid| guid.parse().ok()).collect();
        Ok(descriptor.lets_read_property(&self.root.caller, &attribute))
    }
}

/// The name of a computer's account without `$`, by the name of the host: its first label, cut.
fn account_name(host: &str) -> String {
    let label = host.split('.').next().unwrap_or(host);
    label.trim_end_matches('$').chars().take(NETBIOS_LENGTH).collect()
}

/// Whether a computer whose account has the right name is that host: what it says of its DNS name must
/// not be the name of another.
fn may_be(computer: &Principal, host: &str) -> bool {
    let Some(known) = &computer.host_name else { return true };
    if host.contains('.') {
        return known.eq_ignore_ascii_case(host);
    }
    // An account that was found by a name that was cut may be that of another host.
    host.chars().count() <= NETBIOS_LENGTH
        || known.split('.').next().is_some_and(|label| label.eq_ignore_ascii_case(host))
}

/// The filter for a distinguished name or a SID; None if it is neither.
pub(crate) fn by_identity(name: &str) -> Option<String> {
    // A SID in text is compared as one.
    let sid = name.parse::<Sid>().ok().map(|sid| format!("(objectSid={sid})"));
    sid.or_else(|| name.contains('=').then(|| format!("(distinguishedName={})", ldap_escape(name))))
}

/// `DOMAIN\name` or `name@domain`, as domain and name.
fn split_domain(name: &str) -> Option<(&str, &str)> {
    name.split_once('\\').or_else(|| name.rsplit_once('@').map(|(name, domain)| (domain, name)))
}

/// A filter that one of several is enough for.
pub(crate) fn any(filters: impl Iterator<Item = String>) -> String {
    format!("(|{})", filters.collect::<Vec<_>>().concat())
}

/// SIDs without repetition, to be looked up at once.
pub(crate) fn distinct<'a>(sids: impl Iterator<Item = &'a Sid>) -> BTreeSet<&'a Sid> {
    sids.collect::<HashSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests;
