//! The credential specs of a cluster, and what is written in one.

use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::array;
pub use gmsa_cluster::api::value::name as name_of;
use gmsa_core::credspec::identifier::braced_guid;
use gmsa_core::credspec::name::closest;
use gmsa_core::credspec::{DomainFacts, plugin};
use gmsa_core::names::KIND;
use serde_json::Value;

use crate::failure::Failure;

/// The accounts in a credential spec.
const LISTED: &str = "/credspec/ActiveDirectoryConfig/GroupManagedServiceAccounts";

/// All of them, as they were applied.
pub async fn list(objects: &Objects) -> Result<Vec<Value>, Failure> {
    let mut specs = objects.list(kinds::CREDENTIAL_SPEC, None).await?;
    specs.iter_mut().for_each(drop_managed_fields);
    Ok(specs)
}

/// One of them, as it was applied.
pub async fn read(objects: &Objects, name: &str) -> Result<Value, Failure> {
    let mut spec = match objects.read(&Reference::cluster(kinds::CREDENTIAL_SPEC, name)).await {
        Ok(spec) => spec,
        Err(error) if error.is_absent() => {
            let meant = meant(objects, name).await;
            return Err(Failure::Missing(format!("{KIND} \"{name}\" does not exist{meant}")));
        }
        Err(error) => return Err(error.into()),
    };
    drop_managed_fields(&mut spec);
    Ok(spec)
}

/// The end of a message about a credential spec that does not exist: which one was probably meant. Empty if
/// none is close, or they may not be listed.
pub async fn meant(objects: &Objects, name: &str) -> String {
    let all = objects.list(kinds::CREDENTIAL_SPEC, None).await.unwrap_or_default();
    match closest(name, all.iter().map(name_of)) {
        Some(close) => format!("; did you mean \"{close}\"?"),
        None => String::new(),
    }
}

/// Takes out what only the API server needs to know.
fn drop_managed_fields(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
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
    let listed = array(object, LISTED).filter_map(|account| account.get("Name")?.as_str());
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
    let listed = array(object, LISTED).enumerate().filter_map(|(index, account)| {
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

/// Whether the account is one of those that a credential spec names.
pub fn uses_account(object: &Value, account: &str) -> bool {
    accounts_of(object).iter().any(|named| is_same_account(named, account))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::uses_account;

    #[test]
    fn an_account_is_named_as_the_machine_account_or_among_the_accounts() {
        let main = json!({"credspec": {"DomainJoinConfig": {"MachineAccountName": "WebApp1"}}});
        let other = json!({"credspec": {"ActiveDirectoryConfig":
            {"GroupManagedServiceAccounts": [{"Name": "a"}, {"Name": "WEBAPP1"}]}}});
        for account in ["webapp1", "WebApp1$"] {
            assert!(uses_account(&main, account) && uses_account(&other, account), "{account}");
        }
        assert!(
            !uses_account(&main, "webapp") && !uses_account(&json!({"credspec": null}), "webapp")
        );
    }
}
