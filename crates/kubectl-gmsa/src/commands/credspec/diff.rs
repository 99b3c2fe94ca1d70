//! `kubectl gmsa credspec diff`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gmsa_core::credspec::identifier::braced_guid;
use gmsa_core::credspec::{DomainFacts, Recipe};
use serde_json::{Value, json};

use super::file;
use crate::cli::credspec::Diff;
use crate::cli::shared::ClusterFlags;
use crate::connect::{self, block_on, directory};
use crate::credential_spec::{accounts_of, read, text};
use crate::failure::Failure;
use crate::from_ad;
use crate::output::{printer, render};

/// Compares two credential specs key by key. The exit code is 1 if they differ.
pub fn run(args: &Diff) -> Result<u8, Failure> {
    let mut one = contents(&args.one, &args.cluster)?;
    let (name, other, unusable) = if let Some(other) = &args.other {
        (other.clone(), contents(other, &args.cluster)?, Vec::new())
    } else {
        sort_accounts(&mut one);
        of_directory(args, &one)?
    };
    let text = compared(&flat(&one), &flat(&other));
    for problem in &unusable {
        printer::warning(problem);
    }
    if !text.is_empty() {
        printer::data(&format!("--- {}\n+++ {name}\n{text}", args.one))?;
    }
    Ok(u8::from(!text.is_empty() || !unusable.is_empty()))
}

/// What the directory would have in place of these contents: its own facts of the domain, for the same
/// accounts and the same plug-in. Also checks that the accounts are usable.
fn of_directory(args: &Diff, one: &Value) -> Result<(String, Value, Vec<String>), Failure> {
    let object = json!({ "credspec": one });
    let accounts = accounts_of(&object);
    let Some((account, additional_accounts)) = accounts.split_first() else {
        return Err(Failure::Input(format!("failed to compare {}: it names no account", args.one)));
    };
    let (domain, unusable) = block_on(async {
        let directory = directory::open(&args.directory).await?;
        let mut unusable = Vec::new();
        for account in &accounts {
            unusable.extend(from_ad::unusable(account, directory.account(account).await?.as_ref()));
        }
        Ok((directory::facts(&directory.domain().await?), unusable))
    })?;
    let mut other = made(&object, account, additional_accounts, &domain)?;
    sort_accounts(&mut other);
    Ok((format!("the directory of {}", domain.dns_name), other, unusable))
}

fn made(
    object: &Value,
    account: &str,
    additional_accounts: &[String],
    domain: &DomainFacts,
) -> Result<Value, Failure> {
    let plugin =
        |key: &str| text(object, &format!("/ActiveDirectoryConfig/HostAccountConfig/{key}"));
    let guid = plugin("PluginGUID").map(|guid| braced_guid(guid).unwrap_or(guid));
    let recipe = Recipe {
        account,
        additional_accounts,
        domain,
        plugin: guid.map(|guid| (guid, plugin("PluginInput").unwrap_or_default())),
    };
    render::value("credential spec", &recipe.make())
}

/// The order of the accounts means nothing, so it is not a difference to the directory.
fn sort_accounts(contents: &mut Value) {
    let accounts = contents.pointer_mut("/ActiveDirectoryConfig/GroupManagedServiceAccounts");
    if let Some(accounts) = accounts.and_then(Value::as_array_mut) {
        accounts.sort_by_cached_key(|account| account.to_string().to_lowercase());
    }
}

fn contents(wanted: &str, cluster: &ClusterFlags) -> Result<Value, Failure> {
    let object = if wanted.contains(['/', '\\']) || Path::new(wanted).is_file() {
        let mut found = file::read(&[PathBuf::from(wanted)])?;
        if found.len() != 1 {
            return Err(Failure::Input(format!(
                "{wanted} has {} credential specs instead of one",
                found.len()
            )));
        }
        found.pop().map(|found| found.object)
    } else {
        let read = async { read(&connect::objects(cluster).await?, wanted).await };
        Some(block_on(read)?)
    };
    Ok(object
        .and_then(|mut object| object.get_mut("credspec").map(Value::take))
        .unwrap_or_default())
}

/// Every value by its path.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(value, String::new(), &mut found);
    found
}

fn walk(value: &Value, path: String, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                walk(value, format!("{path}{dot}{key}"), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                // Two digits, to sort correctly.
                walk(item, format!("{path}[{index:02}]"), found);
            }
        }
        value => {
            found.insert(path, value.to_string());
        }
    }
}

fn compared(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut paths: Vec<&String> = one.keys().chain(other.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let values = [("-", one.get(path)), ("+", other.get(path))];
        if values[0].1 == values[1].1 {
            continue;
        }
        for (sign, value) in values {
            let Some(value) = value else { continue };
            // The input of some plug-ins holds a password.
            let value = if path.ends_with("PluginInput") { "(not shown)" } else { value };
            // Without the zero that is for the order. Writing to a string does not fail.
            let _ = writeln!(text, "{sign} {}: {value}", path.replace("[0", "["));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences() {
        let one = json!({ "A": { "PluginInput": "secret-one", "B": 1 }, "C": ["x", "y"] });
        let other = json!({ "A": { "PluginInput": "secret-two", "B": 1 }, "C": ["x"], "D": {} });
        assert_eq!(
            compared(&flat(&one), &flat(&other)),
            "- A.PluginInput: (not shown)\n+ A.PluginInput: (not shown)\n- C[1]: \"y\"\n+ D: {}\n"
        );
        assert_eq!(compared(&flat(&one), &flat(&one)), "");
    }
}
