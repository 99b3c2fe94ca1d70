//! Everything that checks of accounts need, read in few round trips: what every account needs at once,
//! then what follows from the accounts.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::future::try_join_all;

use super::access::{self, Membership, Right};
use super::check::retrieval::SHOWN;
use super::check::{
    Check, CheckStatus, Detail, attributes, delegation, hosts, retrieval, service_names,
};
use super::root_key::RootKeys;
use super::{Account, MEMBERSHIP_GUID};
use crate::directory::Directory;
use crate::directory::principals::{Principal, Principals, distinct};
use crate::directory::spn::{Aliases, Holders};
use crate::error::Error;
use crate::security_descriptor::{Ace, SecurityDescriptor, Token};
use crate::sid::Sid;

/// The directory's data about some accounts, and about the hosts that are to use them.
#[derive(Debug)]
pub struct Survey {
    /// Who looked.
    user: String,
    root_keys: RootKeys,
    /// By the name that was asked for.
    accounts: HashMap<String, Result<Option<Account>, String>>,
    names: Principals,
    holders: Holders,
    aliases: Aliases,
    tokens: HashMap<Sid, Token>,
    /// Accounts without a descriptor that surely have none, by distinguished name.
    without_descriptor: HashSet<String>,
}

impl Directory {
    /// Reads what [`Survey::checks`] needs of accounts and hosts. Two round trips, whatever their number
    /// (beyond 100 of a kind requests go out together).
    pub async fn survey(
        &self,
        accounts: &[&str],
        hosts: &[Principal],
        services: &[String],
        detail: Detail,
    ) -> Result<Survey, Error> {
        let (root_keys, found, tokens, aliases) = tokio::try_join!(
            self.root_keys(),
            self.accounts(accounts),
            self.tokens(hosts),
            self.aliases()
        )?;
        let accounts: HashMap<String, Result<Option<Account>, String>> = accounts
            .iter()
            .zip(found)
            .map(|(name, found)| ((*name).to_owned(), found.map_err(|error| error.to_string())))
            .collect();
        let known: Vec<&Account> =
            accounts.values().filter_map(|found| found.as_ref().ok()?.as_ref()).collect();
        let spns = known.iter().flat_map(|account| &account.service_principal_names);
        let spns: BTreeSet<String> =
            spns.chain(services).flat_map(|name| aliases.related(name)).collect();
        let descriptors = known.iter().flat_map(|account| [&account.membership, &account.acting]);
        let descriptors = descriptors.flatten();
        let sids = distinct(descriptors.flat_map(|one| wanted(one, &tokens, detail)));
        let unseen = known.iter().filter(|account| {
            account.is_group_managed
                && account.membership.is_none()
                && account.membership_problem.is_none()
        });
        let absent = unseen.map(|account| async {
            let absent = self.may_read(&account.dn, &[MEMBERSHIP_GUID]).await?;
            Ok::<_, Error>(absent.then(|| account.dn.clone()))
        });
        let (holders, names, absent) =
            tokio::try_join!(self.holders(&spns), self.principals_of(&sids), try_join_all(absent))?;
        Ok(Survey {
            user: self.user().to_owned(),
            root_keys,
            names,
            holders,
            aliases: aliases.clone(),
            tokens: hosts.iter().map(|host| host.sid.clone()).zip(tokens).collect(),
            without_descriptor: absent.into_iter().flatten().collect(),
            accounts,
        })
    }
}

/// The SIDs of a descriptor that are looked up.
fn wanted<'a>(
    descriptor: &'a SecurityDescriptor,
    tokens: &[Token],
    detail: Detail,
) -> BTreeSet<&'a Sid> {
    if detail == Detail::Full {
        return descriptor.sids().collect();
    }
    let allowed = descriptor.allowed().take(SHOWN);
    let others = descriptor.others().filter_map(Ace::sid).take(SHOWN);
    let wide = descriptor.sids().filter(|sid| sid.is_too_wide());
    let decisive = tokens.iter().filter_map(|token| descriptor.access(token).sid());
    allowed.chain(others).chain(wide).chain(decisive).collect()
}

impl Survey {
    /// An account, by the name that it was asked for with.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)?.as_ref().ok()?.as_ref()
    }

    /// What keeps the forest's controllers from making passwords, if that can be known.
    #[must_use]
    pub fn root_key_problem(&self) -> Option<String> {
        self.root_keys.problem()
    }

    /// What keeps containers from using an account, as far as the directory says it. Of hosts see
    /// [`host_checks`](Self::host_checks).
    #[must_use]
    pub fn checks(&self, name: &str) -> Vec<Check> {
        let own_key = self.account(name).and_then(|account| account.root_key);
        let mut checks = vec![self.root_keys.check(&self.user, own_key)];
        let account = match self.accounts.get(name) {
            Some(Ok(Some(account))) => account,
            Some(Err(why)) => {
                let remedy = "look in the directory of that domain (--domain, or --dc)";
                checks.push(Check::not_passed("exists", CheckStatus::Failed, why.clone(), remedy));
                return checks;
            }
            _ => {
                checks.push(attributes::missing(name, &self.user));
                return checks;
            }
        };
        checks.push(Check::passed("exists", format!("it is {}", account.dn)));
        checks.push(attributes::class(account));
        if !account.is_group_managed {
            return checks;
        }
        checks.extend(attributes::of(account));
        checks.extend(service_names::checks(account, &self.holders, &self.aliases));
        checks.push(delegation::check(account, &self.names));
        checks.push(retrieval::check(account, self.membership(account), &self.names, &self.user));
        checks
    }

    /// Whether each host may read the password of an account, and can.
    #[must_use]
    pub fn host_checks(&self, name: &str, hosts: &[Principal]) -> Vec<Check> {
        let Some(account) = self.account(name).filter(|account| account.is_group_managed) else {
            return Vec::new();
        };
        hosts.iter().map(|host| hosts::check(account, host, &self.right(account, host))).collect()
    }

    /// Whether Kerberos works for the names that clients use.
    #[must_use]
    pub fn service_checks(&self, name: &str, services: &[String]) -> Vec<Check> {
        let Some(account) = self.account(name) else { return Vec::new() };
        let check =
            |name: &String| service_names::service(account, name, &self.holders, &self.aliases);
        services.iter().map(check).collect()
    }

    fn right(&self, account: &Account, host: &Principal) -> Right {
        let nothing = Token::new([host.sid.clone()], false);
        let token = self.tokens.get(&host.sid).unwrap_or(&nothing);
        access::right(self.membership(account), host, token, &self.names, &self.user)
    }

    fn membership<'a>(&self, account: &'a Account) -> Membership<'a> {
        account.membership(self.without_descriptor.contains(&account.dn))
    }
}
