//! What is written in a credential spec.

use gmsa_core::credspec::identifier::braced_guid;
use gmsa_core::credspec::{DomainFacts, plugin};
use serde_json::Value;

/// The name of a resource.
pub fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// A text in the contents, such as `/DomainJoinConfig/Sid`.
pub fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.get("credspec")?.pointer(pointer)?.as_str()
}

/// The plug-in by the name under which it is known.
pub fn plugin_of(object: &Value) -> Option<String> {
    let guid = text(object, "/ActiveDirectoryConfig/HostAccountConfig/PluginGUID")?;
    let known = plugin::by_guid(braced_guid(guid).unwrap_or(guid));
    Some(known.map_or_else(|| guid.to_owned(), |known| known.name.to_owned()))
}

/// The accounts, each once, beginning with the container's own.
pub fn accounts_of(object: &Value) -> Vec<String> {
    let main = text(object, "/DomainJoinConfig/MachineAccountName");
    let listed = object
        .pointer("/credspec/ActiveDirectoryConfig/GroupManagedServiceAccounts")
        .and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(|account| account.get("Name")?.as_str());
    let mut accounts: Vec<String> = Vec::new();
    for account in main.into_iter().chain(listed) {
        if !accounts.iter().any(|known| known.eq_ignore_ascii_case(account)) {
            accounts.push(account.to_owned());
        }
    }
    accounts
}

/// The accounts of this domain, each once, with the first field of each.
pub fn accounts_in(object: &Value, domain: &DomainFacts) -> Vec<(String, String)> {
    let main = text(object, "/DomainJoinConfig/MachineAccountName");
    let main = main.map(|name| (name, "DomainJoinConfig.MachineAccountName".to_owned()));
    let listed = object
        .pointer("/credspec/ActiveDirectoryConfig/GroupManagedServiceAccounts")
        .and_then(Value::as_array);
    let listed = listed.into_iter().flatten().enumerate().filter_map(|(index, account)| {
        let of = |key: &str| account.get(key).and_then(Value::as_str);
        let here = of("Scope").is_none_or(|scope| {
            scope.eq_ignore_ascii_case(&domain.netbios_name)
                || scope.eq_ignore_ascii_case(&domain.dns_name)
        });
        let path = format!("ActiveDirectoryConfig.GroupManagedServiceAccounts[{index}].Name");
        here.then(|| Some((of("Name")?, path)))?
    });
    let mut accounts: Vec<(String, String)> = Vec::new();
    for (name, path) in main.into_iter().chain(listed).filter(|(name, _)| !name.is_empty()) {
        if !accounts.iter().any(|(known, _)| is_same_account(known, name)) {
            accounts.push((name.to_owned(), format!("credspec.{path}")));
        }
    }
    accounts
}

/// Whether two names are of one account: they have no case, and the `$` may be left out.
pub fn is_same_account(one: &str, other: &str) -> bool {
    one.trim_end_matches('$').eq_ignore_ascii_case(other.trim_end_matches('$'))
}
