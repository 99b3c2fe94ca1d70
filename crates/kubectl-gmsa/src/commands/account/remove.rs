//! `kubectl gmsa account remove`

use std::io::{self, IsTerminal as _};

use serde_json::Value;

use crate::cli::account::Remove;
use crate::connect::{block_on, credential_specs, directory};
use crate::failure::Failure;
use crate::output::printer;

/// Removes the account, after a question.
pub fn run(args: &Remove) -> Result<u8, Failure> {
    block_on(async {
        let dry_run = args.dry_run.is_set();
        if !dry_run && !args.yes && !io::stdin().is_terminal() {
            return Err(Failure::Input(format!(
                "failed to remove the account {}: give --yes where nobody can be asked",
                args.account
            )));
        }
        let directory = directory::open(&args.directory).await?;
        let dn = directory.remove(&args.account, true).await?;
        match users(args).await {
            Ok(users) if users.is_empty() => {
                printer::note("no credential spec of the cluster names it");
            }
            Ok(users) => printer::warning(&format!(
                "credential specs of the cluster still name it, and pods that use them lose their \
                 identity: {}",
                users.join(", ")
            )),
            Err(failure) => printer::warning(&format!(
                "whether credential specs still name it is not known: {failure}"
            )),
        }
        if dry_run {
            printer::data(&format!("would remove {dn}\n"))?;
            return Ok(0);
        }
        if !args.yes && !confirmed(&dn)? {
            return Err(Failure::Missing("nothing was removed".to_owned()));
        }
        directory.remove(&args.account, false).await?;
        printer::data(&format!("removed {dn}\n"))?;
        Ok(0)
    })
}

/// The credential specs of the cluster that name the account.
async fn users(args: &Remove) -> Result<Vec<String>, Failure> {
    let specs = credential_specs(&args.cluster).await?;
    let listed = specs.list().await.map_err(|error| Failure::Cluster(error.to_string()))?;
    let name = |object: &Value| {
        object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    Ok(listed.iter().filter(|object| names(object, &args.account)).map(name).collect())
}

/// Whether a credential spec names the account; names of accounts have no case.
fn names(object: &Value, account: &str) -> bool {
    let account = account.trim_end_matches('$');
    let is_it = |value: Option<&Value>| {
        let name = value.and_then(Value::as_str).unwrap_or_default();
        name.trim_end_matches('$').eq_ignore_ascii_case(account)
    };
    let accounts = object.pointer("/credspec/ActiveDirectoryConfig/GroupManagedServiceAccounts");
    is_it(object.pointer("/credspec/DomainJoinConfig/MachineAccountName"))
        || accounts
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .any(|account| is_it(account.get("Name")))
}

fn confirmed(dn: &str) -> Result<bool, Failure> {
    printer::note(&format!(
        "{dn} is removed for good: pods that run as it lose their identity. Write yes to go on:"
    ));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::Input(format!("failed to read the answer: {error}")))?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::names;

    #[test]
    fn an_account_is_named_as_the_machine_account_or_among_the_accounts() {
        let main = json!({"credspec": {"DomainJoinConfig": {"MachineAccountName": "WebApp1"}}});
        let other = json!({"credspec": {"ActiveDirectoryConfig":
            {"GroupManagedServiceAccounts": [{"Name": "a"}, {"Name": "WEBAPP1"}]}}});
        for account in ["webapp1", "WebApp1$"] {
            assert!(names(&main, account) && names(&other, account), "{account}");
        }
        assert!(!names(&main, "webapp") && !names(&json!({"credspec": null}), "webapp"));
    }
}
