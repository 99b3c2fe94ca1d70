//! The rules for `ActiveDirectoryConfig.GroupManagedServiceAccounts`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::path::{Path, quoted};
use super::domain::{Domain, account_trouble, bare_account};
use super::{Found, present};
use crate::finding::Code;

const SECTION: &str = "ActiveDirectoryConfig";
const LIST: &str = "GroupManagedServiceAccounts";

/// The scopes of one account.
struct Account<'a> {
    /// The name as the first entry writes it.
    name: &'a str,
    /// The index of its first entry.
    first: usize,
    scopes: Vec<&'a str>,
}

impl Account<'_> {
    fn has_scope(&self, wanted: &str) -> bool {
        self.scopes.iter().any(|scope| scope.eq_ignore_ascii_case(wanted))
    }
}

pub(super) fn check(
    contents: &Map<String, Value>,
    domain: &Domain<'_>,
    path: &Path<'_>,
    found: &mut Found,
) {
    let section_path = Path::Key(path, SECTION);
    let path = Path::Key(&section_path, LIST);
    let list = match present(contents, SECTION) {
        None => None,
        Some(Value::Object(section)) => present(section, LIST),
        Some(_) => return,
    };
    let entries = match list {
        None => &[][..],
        Some(Value::Array(entries)) => entries,
        Some(_) => return,
    };
    if entries.is_empty() {
        found.add(Code::AccountNotListed, &path, format!("{LIST} lists no account"));
        return;
    }
    let accounts = collect(entries, &path, found);
    if let Some(account) = domain.account.map(bare_account)
        && !account.is_empty()
        && !accounts.contains_key(&account.to_lowercase())
    {
        let message = format!("the MachineAccountName {} is not in {LIST}", quoted(account));
        found.add(Code::AccountNotListed, &path, message);
    }
    check_scopes(&accounts, domain, &path, found);
}

/// Reads the entries by account, in lower case as Active Directory compares names.
fn collect<'a>(
    entries: &'a [Value],
    path: &Path<'_>,
    found: &mut Found,
) -> BTreeMap<String, Account<'a>> {
    let mut accounts = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        // Another type is reported by the check of the structure.
        let Some(entry) = entry.as_object() else {
            continue;
        };
        let path = Path::Item(path, index);
        let name = found.required(entry, "Name", &path);
        let scope = found.required(entry, "Scope", &path);
        let Some(name) = name else {
            continue;
        };
        if let Some(trouble) = account_trouble(name) {
            let message = format!("the account's Name {trouble}");
            found.add(Code::AccountNameInvalid, &Path::Key(&path, "Name"), message);
        }
        accounts
            .entry(bare_account(name).to_lowercase())
            .or_insert_with(|| Account { name, first: index, scopes: Vec::new() })
            .scopes
            .extend(scope);
    }
    accounts
}

fn check_scopes(
    accounts: &BTreeMap<String, Account<'_>>,
    domain: &Domain<'_>,
    path: &Path<'_>,
    found: &mut Found,
) {
    let mut wanted = Vec::new();
    let dns = domain.dns.filter(|dns| {
        // The names themselves are wrong, which is reported already.
        !domain.netbios.is_some_and(|netbios| netbios.eq_ignore_ascii_case(dns))
    });
    for (label, scope) in [("NetBIOS", domain.netbios), ("DNS", dns)] {
        let Some(scope) = scope else {
            continue;
        };
        if accounts.values().any(|account| account.has_scope(scope)) {
            wanted.push(scope);
        } else {
            let message =
                format!("no entry has the domain's {label} name {} as Scope", quoted(scope));
            found.add(Code::ScopeMissing, path, message);
        }
    }
    let mut incomplete: Vec<(usize, String)> = Vec::new();
    for account in accounts.values() {
        if let Some(missing) = missing_scope(account, &wanted, domain) {
            let message = format!("the account {} {missing}", quoted(account.name));
            incomplete.push((account.first, message));
        }
    }
    incomplete.sort_unstable();
    for (index, message) in incomplete {
        found.add(Code::AccountScopeIncomplete, &Path::Item(path, index), message);
    }
}

/// What an account lacks that another has: a scope that no account has is reported once, not here.
fn missing_scope(account: &Account<'_>, wanted: &[&str], domain: &Domain<'_>) -> Option<String> {
    let own = [domain.netbios, domain.dns].into_iter().flatten().any(|own| account.has_scope(own));
    if own {
        return wanted
            .iter()
            .find(|scope| !account.has_scope(scope))
            .map(|scope| format!("has no entry with the Scope {}", quoted(scope)));
    }
    // An account of another domain, whose names are not known: one has a dot and one has none.
    let (dotted, plain) = account.scopes.iter().partition::<Vec<&str>, _>(|one| one.contains('.'));
    match (dotted.first(), plain.first()) {
        (Some(scope), None) => {
            Some(format!("has the Scope {} but none with the NetBIOS name", quoted(scope)))
        }
        (None, Some(scope)) => {
            Some(format!("has the Scope {} but none with the DNS name", quoted(scope)))
        }
        _ => None,
    }
}
