//! A directory to which somebody is logged on.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use ldap3::{Ldap, LdapError, LdapResult, Mod, Scope, SearchEntry};

use crate::connect::{self, Connection};
use crate::discover::Names;
use crate::entry::Entry;
use crate::error::{self, Error};
use crate::options::Options;

/// A directory to which somebody is logged on, over an encrypted connection.
pub struct Directory {
    ldap: Ldap,
    server: String,
    address: IpAddr,
    user: Option<String>,
    timeout: Duration,
    dns: Names,
    pub(crate) root: Root,
}

/// The root entry (MS-ADTS, section 3.1.1.3.2).
pub(crate) struct Root {
    /// The domain.
    pub(crate) domain: String,
    /// The domain at the root of the forest.
    pub(crate) forest: String,
    /// The configuration of the forest.
    pub(crate) configuration: String,
}

impl Directory {
    /// Connects, logs on, and reads where the directory's parts are.
    pub async fn open(options: &Options) -> Result<Self, Error> {
        if options.kerberos && !cfg!(feature = "gssapi") {
            return Err(Error::WithoutKerberos);
        }
        let mut connection = connect::connect(options).await?;
        let user = connect::log_on(&mut connection, options).await?;
        let Connection { ldap, server, address } = connection;
        let root =
            Root { domain: String::new(), forest: String::new(), configuration: String::new() };
        let dns = Names::new(options.dns_server, options.timeout);
        let timeout = options.timeout;
        let mut directory = Self { ldap, server, address, user, timeout, dns, root };
        directory.root = directory.read_root().await?;
        Ok(directory)
    }

    async fn read_root(&self) -> Result<Root, Error> {
        let attributes =
            ["defaultNamingContext", "rootDomainNamingContext", "configurationNamingContext"];
        let what = "read the root entry";
        let found = self.search("", Scope::Base, "(objectClass=*)", &attributes, what).await?;
        let entry = found.first();
        let part = |attribute: &'static str| {
            entry.and_then(|entry| entry.text(attribute)).ok_or_else(|| Error::Answer {
                server: self.server.clone(),
                object: "the root entry".to_owned(),
                attribute,
                why: "it is not there: this is no Active Directory domain controller".to_owned(),
            })
        };
        Ok(Root {
            domain: part("defaultNamingContext")?,
            forest: part("rootDomainNamingContext")?,
            configuration: part("configurationNamingContext")?,
        })
    }

    /// The controller, host and port.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The address of the controller.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Who is logged on.
    #[must_use]
    pub fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("anonymous")
    }

    /// How long an answer is waited for.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The DNS servers that the caller named, or those of the system.
    pub(crate) fn dns(&self) -> &Names {
        &self.dns
    }

    /// Whether nobody is logged on.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.user.is_none()
    }

    /// Searches; `what` says for what, beginning with a verb.
    pub(crate) async fn search(
        &self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        what: &str,
    ) -> Result<Vec<Entry>, Error> {
        let mut ldap = self.ldap.clone();
        let search = ldap.with_timeout(self.timeout).search(base, scope, filter, attributes);
        let ldap3::SearchResult(entries, result) =
            search.await.map_err(|error| self.broken(what, &error, error::READING))?;
        self.succeeded(what, &result)?;
        let entries = entries.into_iter().filter(|entry| !entry.is_ref());
        Ok(entries.map(|entry| Entry::new(SearchEntry::construct(entry))).collect())
    }

    /// The object of a distinguished name, or None if it does not exist or may not be seen.
    pub(crate) async fn object(
        &self,
        dn: &str,
        attributes: &[&str],
    ) -> Result<Option<Entry>, Error> {
        let what = format!("read {dn}");
        match self.search(dn, Scope::Base, "(objectClass=*)", attributes, &what).await {
            Ok(found) => Ok(found.into_iter().next()),
            Err(Error::Operation { code: 32, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Searches the whole domain.
    pub(crate) async fn find(
        &self,
        filter: &str,
        attributes: &[&str],
        what: &str,
    ) -> Result<Vec<Entry>, Error> {
        self.search(&self.root.domain, Scope::Subtree, filter, attributes, what).await
    }

    pub(crate) async fn add(
        &self,
        dn: &str,
        attributes: Vec<(Vec<u8>, HashSet<Vec<u8>>)>,
        what: &str,
    ) -> Result<(), Error> {
        let mut ldap = self.ldap.clone();
        let result = ldap.with_timeout(self.timeout).add(dn, attributes).await;
        self.done(what, result)
    }

    /// Replaces the value of an attribute.
    pub(crate) async fn replace(
        &self,
        dn: &str,
        attribute: &str,
        value: Vec<u8>,
        what: &str,
    ) -> Result<(), Error> {
        let change = Mod::Replace(attribute.as_bytes().to_vec(), HashSet::from([value]));
        let mut ldap = self.ldap.clone();
        let result = ldap.with_timeout(self.timeout).modify(dn, vec![change]).await;
        self.done(what, result)
    }

    pub(crate) async fn delete(&self, dn: &str, what: &str) -> Result<(), Error> {
        let mut ldap = self.ldap.clone();
        let result = ldap.with_timeout(self.timeout).delete(dn).await;
        self.done(what, result)
    }

    fn done(&self, what: &str, result: ldap3::result::Result<LdapResult>) -> Result<(), Error> {
        let result = result.map_err(|error| self.broken(what, &error, error::WRITING))?;
        self.succeeded(what, &result)
    }

    fn succeeded(&self, what: &str, result: &LdapResult) -> Result<(), Error> {
        if result.rc == 0 { Ok(()) } else { Err(error::operation(&self.server, what, result)) }
    }

    fn broken(&self, what: &str, error: &LdapError, remedy: &'static str) -> Error {
        let (server, what) = (self.server.clone(), what.to_owned());
        match error {
            LdapError::Timeout { .. } => {
                Error::Timeout { server, what, after: self.timeout, remedy }
            }
            error => Error::Broken { server, what, why: error.to_string(), remedy },
        }
    }
}
