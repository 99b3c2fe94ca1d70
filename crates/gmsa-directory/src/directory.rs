//! A directory to which a user is logged on.

pub(crate) mod domain;
pub(crate) mod principals;
pub(crate) mod spn;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::controls::RawControl;
use ldap3::{Ldap, LdapError, LdapResult, Mod, Scope, SearchEntry};
use tokio::sync::{Mutex, OnceCell};

use crate::connect::{self, Connection};
use crate::discover::Names;
use crate::entry::Entry;
use crate::error::{self, Error};
use crate::logon;
use crate::options::Options;
use crate::sid::Sid;
use crate::tls;

use self::spn::Aliases;

/// How many entries come in a page: Windows gives 1,000 at once (`MaxPageSize`, MS-ADTS, section
/// 3.1.1.3.4.6).
const PAGE: i32 = 500;
/// `sizeLimitExceeded` (RFC 4511, appendix A).
const TOO_MANY: u32 = 4;
/// Owner, group and list of entries of a descriptor: without this control a controller leaves the
/// descriptor out for callers that may not see what is audited (MS-ADTS, section 3.1.1.3.4.1.11).
const DESCRIPTOR_PARTS: (&str, [u8; 5]) = ("1.2.840.113556.1.4.801", [0x30, 3, 2, 1, 7]);

/// The attribute with the descriptor of an object.
pub(crate) const DESCRIPTOR: &str = "nTSecurityDescriptor";

/// Every object has one (MS-ADTS, section 3.1.1.2.4.5).
const ANY_OBJECT: &str = "(objectClass=*)";

/// A search and its purpose.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    /// The distinguished name at which it begins.
    pub(crate) base: &'a str,
    /// How far below that.
    pub(crate) scope: Scope,
    /// Which objects (RFC 4515).
    pub(crate) filter: &'a str,
    /// What of them.
    pub(crate) attributes: &'a [&'a str],
    /// What for, beginning with a verb: for errors.
    pub(crate) what: &'a str,
}

impl<'a> Search<'a> {
    /// One object.
    pub(crate) fn of_object(dn: &'a str, attributes: &'a [&'a str], what: &'a str) -> Self {
        Self { base: dn, scope: Scope::Base, filter: ANY_OBJECT, attributes, what }
    }

    /// The objects directly below one.
    pub(crate) fn below(
        dn: &'a str,
        filter: &'a str,
        attributes: &'a [&'a str],
        what: &'a str,
    ) -> Self {
        Self { base: dn, scope: Scope::OneLevel, filter, attributes, what }
    }
}

/// One change of an object.
pub(crate) type Change = Mod<Vec<u8>>;

/// A directory to which a user is logged on, over an encrypted connection.
pub struct Directory {
    ldap: Ldap,
    server: String,
    address: IpAddr,
    user: Option<String>,
    timeout: Duration,
    dns: Names,
    pub(crate) root: Root,
    /// What is read once.
    pub(crate) known: Known,
    requests: AtomicUsize,
    /// Held by the search that comes page by page.
    paging: Mutex<()>,
}

/// What does not change while a command runs.
#[derive(Default)]
pub(crate) struct Known {
    /// The names of the domain.
    pub(crate) names: OnceCell<domain::Names>,
    /// The groups that every caller is in, with what every caller is.
    pub(crate) of_every_caller: OnceCell<Vec<Sid>>,
    /// The equivalent classes of service principal names.
    pub(crate) aliases: OnceCell<Aliases>,
}

/// The root entry (MS-ADTS, section 3.1.1.3.2).
pub(crate) struct Root {
    /// The domain.
    pub(crate) domain: String,
    /// The domain at the root of the forest.
    pub(crate) forest: String,
    /// The configuration of the forest.
    pub(crate) configuration: String,
    /// The SIDs of the user who is logged on and of all their groups; empty if the controller does not
    /// report them.
    pub(crate) caller: HashSet<Sid>,
}

impl Directory {
    /// Connects and logs on to the controller that is named, or else to the first of the domain that
    /// answers, and reads where the directory's parts are. A controller that breaks off or stays silent
    /// at any step is passed over; one that refuses the user is not, because the others would too, and
    /// count the wrong password.
    pub async fn open(options: &Options) -> Result<Self, Error> {
        if options.kerberos && !cfg!(feature = "gssapi") {
            return Err(Error::WithoutKerberos);
        }
        let tls = tls::config(options.ca.as_deref())?;
        let names = Names::new(options.dns_server, options.timeout);
        if let Some(server) = &options.server {
            return Self::log_on(connect::to(server, &names, &tls, options).await?, options).await;
        }
        let domain = options.domain.as_deref().ok_or(Error::NoServer)?;
        let mut failures = Vec::new();
        let controllers = names.controllers(domain).await?;
        let only = controllers.len() == 1;
        for host in controllers {
            let opened = match connect::to(&host, &names, &tls, options).await {
                Ok(connection) => Self::log_on(connection, options).await,
                Err(error) => Err(error),
            };
            match opened {
                Err(error) if !only && error.is_of_one_controller() => {
                    failures.push(error.to_string());
                }
                done => return done,
            }
        }
        Err(Error::NoneReached { domain: domain.to_owned(), failures })
    }

    /// Logs on over a connection, and reads where the directory's parts are.
    async fn log_on(mut connection: Connection, options: &Options) -> Result<Self, Error> {
        let user = logon::log_on(&mut connection, options).await?;
        let Connection { ldap, server, address } = connection;
        let root = Root {
            domain: String::new(),
            forest: String::new(),
            configuration: String::new(),
            caller: HashSet::new(),
        };
        let dns = Names::new(options.dns_server, options.timeout);
        let mut directory = Self {
            ldap,
            server,
            address,
            user,
            timeout: options.timeout,
            dns,
            root,
            known: Known::default(),
            requests: AtomicUsize::new(0),
            paging: Mutex::new(()),
        };
        directory.root = directory.read_root().await?;
        Ok(directory)
    }

    async fn read_root(&self) -> Result<Root, Error> {
        let attributes = [
            "defaultNamingContext",
            "rootDomainNamingContext",
            "configurationNamingContext",
            "tokenGroups",
        ];
        let what = "read the root entry";
        let found = self.search(Search::of_object("", &attributes, what)).await?;
        let entry = found.first();
        let part = |attribute: &'static str| {
            entry.and_then(|entry| entry.text(attribute)).ok_or_else(|| Error::Answer {
                server: self.server.clone(),
                object: "the root entry".to_owned(),
                attribute,
                why: "it does not exist: this is not an Active Directory domain controller"
                    .to_owned(),
            })
        };
        let caller = entry.iter().flat_map(|entry| entry.values("tokenGroups"));
        Ok(Root {
            domain: part("defaultNamingContext")?,
            forest: part("rootDomainNamingContext")?,
            configuration: part("configurationNamingContext")?,
            caller: caller.filter_map(|value| Sid::from_bytes(value).ok()).collect(),
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

    /// Whether the connection is anonymous.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.user.is_none()
    }

    /// How many requests were sent since the logon.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// A handle for one operation; several may be under way on the one connection.
    fn operation(&self) -> Ldap {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut ldap = self.ldap.clone();
        ldap.with_timeout(self.timeout);
        ldap
    }

    /// Searches. More entries than the controller gives at once come page by page, and values of an
    /// attribute that come in parts are put together.
    pub(crate) async fn search(&self, search: Search<'_>) -> Result<Vec<Entry>, Error> {
        let mut found = self.search_part(search).await?;
        for entry in &mut found {
            self.complete(entry, search.what).await?;
        }
        Ok(found)
    }

    /// Asks for the rest of values that came in part: Windows gives 1,500 of an attribute at once
    /// (`MaxValRange`, MS-ADTS, section 3.1.1.3.1.3.3).
    async fn complete(&self, entry: &mut Entry, what: &str) -> Result<(), Error> {
        while let Some((attribute, next)) = entry.take_partial() {
            let range = format!("{attribute};range={next}-*");
            let dn = entry.dn.clone();
            let more = self.search_part(Search::of_object(&dn, &[&range], what)).await?;
            let Some(more) = more.into_iter().next() else { return Ok(()) };
            entry.append(more, &attribute, next);
        }
        Ok(())
    }

    /// Pages are asked for only where they are needed, and by one search after the other: a controller
    /// keeps ten unfinished ones of a connection (`MaxResultSetsPerConn`, MS-ADTS, section 3.1.1.3.4.6) and
    /// forgets the others.
    async fn search_part(&self, search: Search<'_>) -> Result<Vec<Entry>, Error> {
        match self.search_once(search, false).await {
            Err(Error::Operation { code: TOO_MANY, .. }) => {
                let _turn = self.paging.lock().await;
                self.search_once(search, true).await
            }
            found => found,
        }
    }

    async fn search_once(&self, search: Search<'_>, in_pages: bool) -> Result<Vec<Entry>, Error> {
        let Search { base, scope, filter, attributes, what } = search;
        let broken = |error: LdapError| self.broken(what, &error, error::READING);
        let mut ldap = self.operation();
        if attributes.contains(&DESCRIPTOR) {
            let (oid, value) = DESCRIPTOR_PARTS;
            let value = Some(value.to_vec());
            ldap.with_controls(RawControl { ctype: oid.to_owned(), crit: false, val: value });
        }
        let attributes: Vec<String> = attributes.iter().map(|one| (*one).to_owned()).collect();
        let mut adapters: Vec<Box<dyn Adapter<'_, String, Vec<String>>>> =
            vec![Box::new(EntriesOnly::new())];
        if in_pages {
            adapters.push(Box::new(PagedResults::new(PAGE)));
        }
        let started = ldap.streaming_search_with(adapters, base, scope, filter, attributes).await;
        let mut stream = started.map_err(broken)?;
        let mut entries = Vec::new();
        while let Some(entry) = stream.next().await.map_err(broken)? {
            entries.push(Entry::new(SearchEntry::construct(entry)));
        }
        let result = stream.finish().await;
        self.succeeded(what, &result)?;
        Ok(entries)
    }

    /// The object of a distinguished name, or None if it does not exist or may not be seen.
    pub(crate) async fn object(
        &self,
        dn: &str,
        attributes: &[&str],
    ) -> Result<Option<Entry>, Error> {
        let what = format!("read {dn}");
        match self.search(Search::of_object(dn, attributes, &what)).await {
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
        let base = &self.root.domain;
        self.search(Search { base, scope: Scope::Subtree, filter, attributes, what }).await
    }

    pub(crate) async fn add(
        &self,
        dn: &str,
        attributes: Vec<(Vec<u8>, HashSet<Vec<u8>>)>,
        what: &str,
    ) -> Result<(), Error> {
        let result = self.operation().add(dn, attributes).await;
        self.done(what, result)
    }

    /// Changes an object, all or nothing.
    pub(crate) async fn modify(
        &self,
        dn: &str,
        changes: Vec<Change>,
        what: &str,
    ) -> Result<(), Error> {
        let result = self.operation().modify(dn, changes).await;
        self.done(what, result)
    }

    pub(crate) async fn delete(&self, dn: &str, what: &str) -> Result<(), Error> {
        let result = self.operation().delete(dn).await;
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
