//! Service principal names: which account has which, and which are equivalent.

use std::collections::{BTreeSet, HashMap};

use futures::future::try_join_all;
use ldap3::ldap_escape;

use crate::directory::principals::{BATCH, any};
use crate::directory::{Directory, Search};
use crate::dn;
use crate::error::Error;

/// What `HOST` stands for where the directory does not say (MS-ADTS, section 6.1.1.2.4.1.1, as every new
/// forest has it).
const DEFAULT: &str = "host=alerter,appmgmt,cisvc,clipsrv,browser,dhcp,dnscache,replicator,eventlog,\
     eventsystem,policyagent,oakley,dmserver,dns,mcsvc,fax,msiserver,ias,messenger,netlogon,netman,netdde,\
     netddedsm,nmagent,plugplay,protectedstorage,rasman,rpclocator,rpc,rpcss,remoteaccess,rsvp,samss,\
     scardsvr,scesrv,seclogon,scm,dcom,cifs,spooler,snmp,schedule,tapisrv,trksvr,trkwks,ups,time,wins,www,\
     http,w3svc,iisadmin,msdtc";

/// Classes that `HOST` stands for: an account with `HOST/web` also has `http/web`, unless another
/// account has that (`sPNMappings`, MS-ADTS, section 6.1.1.2.4.1.1).
#[derive(Clone, Debug)]
pub(crate) struct Aliases {
    /// By the class in lower case.
    stands_for: HashMap<String, Vec<String>>,
}

/// An account with a service principal name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The distinguished name.
    pub(crate) dn: String,
    /// The SAM name.
    pub(crate) name: String,
    /// Whether it is a computer.
    pub(crate) is_computer: bool,
    /// Its encryption types.
    pub(crate) encryption_types: Option<i64>,
}

/// Who has service principal names, by the name in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holders(HashMap<String, Vec<Holder>>);

impl Holders {
    /// Who has a name, compared as the directory does: without case.
    pub(crate) fn of(&self, name: &str) -> &[Holder] {
        self.0.get(&name.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The first account with a name, except one.
    pub(crate) fn other(&self, name: &str, except: Option<&str>) -> Option<&Holder> {
        self.of(name).iter().find(|holder| except.is_none_or(|own| !dn::is_same(&holder.dn, own)))
    }
}

impl Aliases {
    /// Reads values of `sPNMappings`: `host=alerter,appmgmt,…`.
    fn new(values: &[String]) -> Self {
        let mut stands_for: HashMap<String, Vec<String>> = HashMap::new();
        for value in values {
            if let Some((class, others)) = value.to_lowercase().split_once('=') {
                let others = others.split(',').map(|one| one.trim().to_owned());
                stands_for.entry(class.trim().to_owned()).or_default().extend(others);
            }
        }
        Self { stands_for }
    }

    /// The names that include a name: `HOST/web` for `http/web`.
    pub(crate) fn above(&self, name: &str) -> Vec<String> {
        let Some((class, host)) = parts(name) else { return Vec::new() };
        let class = class.to_lowercase();
        let above = self.stands_for.iter().filter(|(_, others)| others.contains(&class));
        above.map(|(above, _)| format!("{above}/{host}")).collect()
    }

    /// The names that a name includes: `http/web`, `cifs/web` and more for `HOST/web`.
    pub(crate) fn below(&self, name: &str) -> Vec<String> {
        let Some((class, host)) = parts(name) else { return Vec::new() };
        let below = self.stands_for.get(&class.to_lowercase());
        below.into_iter().flatten().map(|below| format!("{below}/{host}")).collect()
    }

    /// A name, and all that have to do with it.
    pub(crate) fn related(&self, name: &str) -> Vec<String> {
        let mut all = vec![name.to_owned()];
        all.extend(self.above(name));
        all.extend(self.below(name));
        all
    }
}

/// The class and what follows it.
fn parts(name: &str) -> Option<(&str, &str)> {
    name.split_once('/')
}

impl Directory {
    /// Equivalent classes, read once.
    pub(crate) async fn aliases(&self) -> Result<&Aliases, Error> {
        let read = || async {
            let base = format!(
                "CN=Directory Service,CN=Windows NT,CN=Services,{}",
                self.root.configuration
            );
            let what = "read the equivalent classes of service principal names";
            let found = self.search(Search::of_object(&base, &["sPNMappings"], what)).await;
            let values = match found {
                Ok(found) => found.iter().flat_map(|entry| entry.texts("sPNMappings")).collect(),
                Err(Error::Operation { .. }) => Vec::new(),
                Err(error) => return Err(error),
            };
            let default = || Aliases::new(&[DEFAULT.to_owned()]);
            Ok(if values.is_empty() { default() } else { Aliases::new(&values) })
        };
        self.known.aliases.get_or_try_init(read).await
    }

    /// Who in the domain has any of these service principal names.
    pub(crate) async fn holders(&self, names: &BTreeSet<String>) -> Result<Holders, Error> {
        const ATTRIBUTES: [&str; 4] = [
            "servicePrincipalName",
            "sAMAccountName",
            "objectClass",
            "msDS-SupportedEncryptionTypes",
        ];
        let wanted: Vec<&String> = names.iter().collect();
        let searches = wanted.chunks(BATCH).map(|names| async move {
            let filter = any(names
                .iter()
                .map(|name| format!("(servicePrincipalName={})", ldap_escape(name.as_str()))));
            let what = "look for accounts with the same service principal names";
            self.find(&filter, &ATTRIBUTES, what).await
        });
        let wanted: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let mut holders: HashMap<String, Vec<Holder>> = HashMap::new();
        for entry in try_join_all(searches).await?.iter().flatten() {
            let holder = Holder {
                dn: entry.dn.clone(),
                name: entry.text("sAMAccountName").unwrap_or_else(|| entry.dn.clone()),
                is_computer: entry.is_class("computer")
                    && !entry.is_class("msDS-GroupManagedServiceAccount"),
                encryption_types: entry.number("msDS-SupportedEncryptionTypes"),
            };
            for name in entry.texts("servicePrincipalName") {
                let name = name.to_lowercase();
                if wanted.contains(&name) {
                    let known = holders.entry(name).or_default();
                    // One account may come with several searches.
                    if !known.contains(&holder) {
                        known.push(holder.clone());
                    }
                }
            }
        }
        Ok(Holders(holders))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_classes() {
        let aliases = Aliases::new(&["host=http, cifs".to_owned(), "x".to_owned()]);
        assert_eq!(aliases.above("HTTP/web:8080"), ["host/web:8080"]);
        assert_eq!(aliases.above("MSSQLSvc/db"), Vec::<String>::new());
        assert_eq!(aliases.below("HOST/web"), ["http/web", "cifs/web"]);
        assert_eq!(aliases.below("http/web"), Vec::<String>::new());
        assert_eq!(aliases.below("nothing"), Vec::<String>::new());
        assert_eq!(Aliases::new(&[DEFAULT.to_owned()]).below("host/web").len(), 53);
    }
}
