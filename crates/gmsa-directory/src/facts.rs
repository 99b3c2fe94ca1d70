//! What a directory says of a domain and of those in it.

use ldap3::{Scope, dn_escape, ldap_escape};

use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::Error;
use crate::guid::Guid;
use crate::sid::Sid;

/// What a credential spec needs to know of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The SID.
    pub sid: Sid,
    /// The `objectGUID`.
    pub guid: Guid,
    /// The DNS name.
    pub dns_name: String,
    /// The DNS name of the domain at the root of the forest.
    pub forest: String,
    /// The NetBIOS name.
    pub netbios_name: String,
}

/// What the forest says of one of its domains.
struct CrossReference {
    /// The distinguished name of the domain.
    of: String,
    netbios_name: String,
    dns_name: String,
}

/// The names of a domain.
#[derive(Debug, PartialEq, Eq)]
struct Names {
    netbios_name: String,
    dns_name: String,
    /// The DNS name of the forest's root.
    forest: String,
}

/// The names of a domain in a forest, both given by their distinguished names.
fn names_among(references: &[CrossReference], domain: &str, forest: &str) -> Option<Names> {
    let of = |wanted: &str| references.iter().find(|one| one.of.eq_ignore_ascii_case(wanted));
    let own = of(domain)?;
    Some(Names {
        netbios_name: own.netbios_name.clone(),
        dns_name: own.dns_name.clone(),
        forest: of(forest)?.dns_name.clone(),
    })
}

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

/// Somebody who can be given a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The distinguished name.
    pub dn: String,
    /// The SAM name: a computer's ends with `$`.
    pub name: String,
    /// The SID.
    pub sid: Sid,
    /// What it is.
    pub kind: PrincipalKind,
}

const PRINCIPAL: [&str; 4] = ["sAMAccountName", "objectSid", "objectClass", "cn"];

impl Directory {
    /// Reads the facts of the controller's domain.
    pub async fn domain(&self) -> Result<Domain, Error> {
        let head = &self.root.domain;
        let entry = self.object(head, &["objectSid", "objectGUID"]).await?;
        let entry = entry.ok_or_else(|| self.not_found(format!("the domain {head}")))?;
        let Names { netbios_name, dns_name, forest } = self.names(head).await?;
        let guid = Guid::from_bytes(entry.bytes("objectGUID").unwrap_or_default());
        let guid = guid.map_err(|error| self.answer(head, "objectGUID", &error))?;
        Ok(Domain { sid: self.sid_of(&entry)?, guid, dns_name, forest, netbios_name })
    }

    /// The names of a domain, from the cross references of the forest (MS-ADTS, section 6.1.1.2.1.1).
    async fn names(&self, domain: &str) -> Result<Names, Error> {
        let base = format!("CN=Partitions,{}", self.root.configuration);
        // Other partitions have no NetBIOS name.
        let filter = "(&(objectClass=crossRef)(nETBIOSName=*))";
        let what = format!("read the names of {domain}");
        let attributes = ["nCName", "nETBIOSName", "dnsRoot"];
        let found = self.search(&base, Scope::OneLevel, filter, &attributes, &what).await?;
        let references: Vec<CrossReference> = found
            .iter()
            .filter_map(|entry| {
                Some(CrossReference {
                    of: entry.text("nCName")?,
                    netbios_name: entry.text("nETBIOSName")?,
                    dns_name: entry.text("dnsRoot")?,
                })
            })
            .collect();
        let names = names_among(&references, domain, &self.root.forest);
        names.ok_or_else(|| self.not_found(format!("the names of the domain {domain}")))
    }

    /// Finds a computer by its name, with or without `$` and a domain, by its DNS name, its
    /// distinguished name, or its SID.
    pub async fn computer(&self, name: &str) -> Result<Principal, Error> {
        let what = format!("the computer {name}");
        let filter = if let Some(filter) = by_identity(name) {
            filter
        } else {
            let bare =
                ldap_escape(self.bare(&what, name).await?.trim_end_matches('$')).into_owned();
            // The names before the dot need not be the same.
            let by_dns = bare.contains('.');
            if by_dns {
                format!("(dNSHostName={bare})")
            } else {
                format!("(sAMAccountName={bare}$)")
            }
        };
        self.one_principal(&what, name, &format!("(&(objectClass=computer){filter})")).await
    }

    /// Finds a group by its name, with or without a domain, its distinguished name, or its SID.
    pub async fn group(&self, name: &str) -> Result<Principal, Error> {
        let what = format!("the group {name}");
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
    /// domain is somebody else.
    async fn bare<'a>(&self, what: &str, name: &'a str) -> Result<&'a str, Error> {
        let Some((domain, bare)) = split_domain(name) else { return Ok(name) };
        let names = self.names(&self.root.domain).await?;
        let own = [names.netbios_name, names.dns_name];
        if own.iter().any(|own| own.eq_ignore_ascii_case(domain)) {
            return Ok(bare);
        }
        Err(self.not_found(format!("{what}, which is of another domain,")))
    }

    /// Finds whoever has a SID in this domain.
    pub async fn principal_of(&self, sid: &Sid) -> Result<Option<Principal>, Error> {
        // A SID in text is compared as one.
        let filter = format!("(objectSid={sid})");
        let found = self.find(&filter, &PRINCIPAL, &format!("look up {sid}")).await?;
        found.first().map(|entry| self.principal(entry)).transpose()
    }

    async fn one_principal(
        &self,
        what: &str,
        name: &str,
        filter: &str,
    ) -> Result<Principal, Error> {
        let found = self.find(filter, &PRINCIPAL, &format!("look up {what}")).await?;
        match found.as_slice() {
            [] => Err(self.not_found(what.to_owned())),
            [one] => self.principal(one),
            several => Err(Error::Ambiguous {
                name: name.to_owned(),
                found: several.iter().map(|entry| entry.dn.clone()).collect(),
            }),
        }
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
        })
    }

    /// The SIDs of a principal and of all its groups, nested ones too, with those that everyone has
    /// who is logged on.
    pub(crate) async fn sids_of(&self, principal: &Principal) -> Result<Vec<Sid>, Error> {
        // Computed by the controller (MS-ADTS, section 3.1.1.4.5.19), at one object alone.
        let entry = self.object(&principal.dn, &["tokenGroups"]).await?;
        let mut sids = vec![principal.sid.clone()];
        for value in entry.iter().flat_map(|entry| entry.values("tokenGroups")) {
            let sid = Sid::from_bytes(value);
            sids.push(sid.map_err(|error| self.answer(&principal.dn, "tokenGroups", &error))?);
        }
        // Everyone, and Authenticated Users.
        sids.extend(["S-1-1-0", "S-1-5-11"].iter().filter_map(|sid| sid.parse().ok()));
        Ok(sids)
    }

    pub(crate) fn sid_of(&self, entry: &Entry) -> Result<Sid, Error> {
        Sid::from_bytes(entry.bytes("objectSid").unwrap_or_default())
            .map_err(|error| self.answer(&entry.dn, "objectSid", &error))
    }

    pub(crate) fn answer(
        &self,
        object: &str,
        attribute: &'static str,
        why: &dyn std::error::Error,
    ) -> Error {
        let why = if self.is_anonymous() {
            "nobody is logged on; give a user with --bind-user and --password-file".to_owned()
        } else {
            why.to_string()
        };
        Error::Answer {
            server: self.server().to_owned(),
            object: object.to_owned(),
            attribute,
            why,
        }
    }

    pub(crate) fn not_found(&self, what: String) -> Error {
        Error::NotFound { what, domain: self.root.domain.clone(), user: self.user().to_owned() }
    }
}

/// The filter for a distinguished name or a SID; None if it is neither.
fn by_identity(name: &str) -> Option<String> {
    // A SID in text is compared as one.
    let sid = name.parse::<Sid>().ok().map(|sid| format!("(objectSid={sid})"));
    sid.or_else(|| name.contains('=').then(|| format!("(distinguishedName={})", ldap_escape(name))))
}

/// `DOMAIN\name` or `name@domain`, as domain and name.
fn split_domain(name: &str) -> Option<(&str, &str)> {
    name.split_once('\\').or_else(|| name.rsplit_once('@').map(|(name, domain)| (domain, name)))
}

/// `CN=NAME,CONTAINER`, with the name escaped (RFC 4514).
pub(crate) fn child(name: &str, container: &str) -> String {
    format!("CN={},{container}", dn_escape(name))
}

#[cfg(test)]
mod tests;
