//! `kubectl gmsa credspec create`

use std::io::Read as _;
use std::path::Path;

use gmsa_core::credspec::identifier::{braced_guid, is_guid};
use gmsa_core::credspec::plugin::{self, PLUGINS};
use gmsa_core::credspec::{DomainFacts, Recipe};
use gmsa_directory::Directory;

use super::{judge, put, resource};
use crate::cli::credspec::Create;
use crate::commands::runtime::block_on;
use crate::commands::{Failure, directory};

/// Makes the credential spec. One that could not work is not made.
pub(super) fn run(args: &Create) -> Result<u8, Failure> {
    let plugin = plugin(args)?;
    let domain = if args.from_ad { block_on(from_directory(args))? } else { by_hand(args)? };
    let recipe = Recipe {
        account: &args.account,
        additional_accounts: &args.additional_account,
        domain: &domain,
        plugin: plugin.as_ref().map(|(guid, input)| (guid.as_str(), input.as_str())),
    };
    let contents = serde_json::to_value(recipe.make())
        .map_err(|error| Failure::Encode { what: "credential spec", why: error.to_string() })?;
    let object = resource(&args.name, &contents);
    let errors = judge(&object);
    if !errors.is_empty() {
        return Err(Failure::Input(errors.join("\nerror: ")));
    }
    put(&[object], args.output, &args.apply, &args.cluster)?;
    Ok(0)
}

fn by_hand(args: &Create) -> Result<DomainFacts, Failure> {
    let Some(domain) = args.directory.domain.clone() else {
        return Err(Failure::Input("name the domain with --domain".to_owned()));
    };
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    // The GUID of a copied class identifier comes in braces; the domain's is written without.
    let guid = given(&args.guid);
    Ok(DomainFacts {
        sid: given(&args.sid),
        guid: braced_guid(&guid).unwrap_or(&guid).to_owned(),
        forest: args.forest.clone().unwrap_or_else(|| domain.clone()),
        dns_name: domain,
        netbios_name: given(&args.netbios),
    })
}

/// Takes the facts from the directory, and sees that the accounts are there.
async fn from_directory(args: &Create) -> Result<DomainFacts, Failure> {
    let directory = directory::open(&args.directory).await?;
    let domain = directory.domain().await?;
    if let Some(wanted) = &args.directory.domain
        && !wanted.trim_end_matches('.').eq_ignore_ascii_case(&domain.dns_name)
    {
        return Err(Failure::Missing(format!(
            "{} is a controller of {}, not of {wanted}",
            directory.server(),
            domain.dns_name
        )));
    }
    let mut problems = Vec::new();
    for account in std::iter::once(&args.account).chain(&args.additional_account) {
        problems.extend(unusable(&directory, account).await?);
    }
    if problems.is_empty() {
        Ok(directory::facts(&domain))
    } else {
        Err(Failure::Missing(problems.join("\nerror: ")))
    }
}

/// Why an account cannot be used, if it cannot.
pub(super) async fn unusable(
    directory: &Directory,
    account: &str,
) -> Result<Option<String>, Failure> {
    let why = match directory.account(account).await? {
        None => "does not exist, or cannot be seen",
        Some(found) if !found.is_group_managed => "is no group managed service account",
        Some(found) if !found.enabled => "is disabled",
        Some(_) => return Ok(None),
    };
    Ok(Some(format!("the account {account} {why}; see `kubectl gmsa account check {account}`")))
}

/// The class identifier of the plug-in, without braces, and what it is told.
fn plugin(args: &Create) -> Result<Option<(String, String)>, Failure> {
    let (Some(plugin), Some(file)) = (&args.host_plugin, &args.plugin_input_file) else {
        return Ok(None);
    };
    let guid = match plugin::by_id(plugin) {
        Some(known) => known.guid,
        None => {
            braced_guid(plugin).or_else(|| is_guid(plugin).then_some(plugin)).ok_or_else(|| {
                let known: Vec<_> = PLUGINS
                    .iter()
                    .filter(|plugin| !plugin.takes_password)
                    .map(|plugin| plugin.id)
                    .collect();
                Failure::Input(format!(
                    "{plugin} is no plug-in: write {} or a GUID in braces",
                    known.join(", ")
                ))
            })?
        }
    };
    let from_stdin = |path: &Path| path.as_os_str() == "-";
    if from_stdin(file) && args.directory.password_file.as_deref().is_some_and(from_stdin) {
        return Err(Failure::Input(
            "standard input holds the password or the plug-in's input, not both".to_owned(),
        ));
    }
    let input = read(file).map_err(|error| {
        Failure::Input(format!("failed to read the plug-in's input {}: {error}", file.display()))
    })?;
    let input = input.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}');
    Ok(Some((guid.to_owned(), input.to_owned())))
}

fn read(path: &Path) -> std::io::Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text)?;
        Ok(text)
    } else {
        std::fs::read_to_string(path)
    }
}
