//! Facts about a domain, its hosts and accounts from the directory.

use ldap3::dn_escape;
use uuid::Uuid;

use crate::directory::{Directory, Search};
use crate::entry::Entry;
use crate::error::Error;
use crate::sid::Sid;

/// What a credential spec needs to know of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The SID.
    pub sid: Sid,
    /// The `objectGUID`.
    pub guid: Uuid,
    /// The DNS name.
    pub dns_name: String,
    /// The DNS name of the domain at the root of the forest.
    pub forest: String,
    /// The NetBIOS name.
    pub netbios_name: String,
}

/// The forest's record of one of its domains.
struct CrossReference {
    /// The distinguished name of the domain.
    of: String,
    netbios_name: String,
    dns_name: String,
}

/// The names of a domain.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) netbios_name: String,
    pub(crate) dns_name: String,
    /// The DNS name of the forest's root.
    pub(crate) forest: String,
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

impl Directory {
    /// Reads the facts of the controller's domain.
    pub async fn domain(&self) -> Result<Domain, Error> {
        let head = &self.root.domain;
        let attributes = ["objectSid", "objectGUID"];
        let (entry, names) = tokio::try_join!(self.object(head, &attributes), self.names())?;
        let entry = entry.ok_or_else(|| self.not_found(format!("the domain {head}")))?;
        let guid = Uuid::from_slice_le(entry.bytes("objectGUID").unwrap_or_default());
        let guid = guid.map_err(|error| self.answer(head, "objectGUID", &error))?;
        let Names { netbios_name, dns_name, forest } = names;
        Ok(Domain {
            sid: self.sid_of(&entry)?,
            guid,
            dns_name: dns_name.clone(),
            forest: forest.clone(),
            netbios_name: netbios_name.clone(),
        })
    }

    /// The names of the domain, read once.
    pub(crate) async fn names(&self) -> Result<&Names, Error> {
        self.known.names.get_or_try_init(|| self.read_names(&self.root.domain)).await
    }

    /// The names of a domain, from the cross references of the forest (MS-ADTS, section 6.1.1.2.1.1).
    async fn read_names(&self, domain: &str) -> Result<Names, Error> {
        let base = format!("CN=Partitions,{}", self.root.configuration);
        // Other partitions have no NetBIOS name.
        let filter = "(&(objectClass=crossRef)(nETBIOSName=*))";
        let what = format!("read the names of {domain}");
        let attributes = ["nCName", "nETBIOSName", "dnsRoot"];
        let found = self.search(Search::below(&base, filter, &attributes, &what)).await?;
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
            "no user is logged on; give a user with --bind-user and --password-file".to_owned()
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

/// `CN=NAME,CONTAINER`, with the name escaped (RFC 4514).
pub(crate) fn child(name: &str, container: &str) -> String {
    format!("CN={},{container}", dn_escape(name))
}

#[cfg(test)]
mod tests;
