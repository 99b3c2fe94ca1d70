//! `kubectl gmsa credspec create`

use gmsa_core::credspec::{DomainFacts, Recipe};

use super::ask::{self, Facts};
use super::put::{Made, put};
use super::{judge, plugin, resource};
use crate::cli::credspec::{Create, SpecOutput};
use crate::cli::shared::DirectoryFlags;
use crate::cli::{Grant, RightsFlags};
use crate::connect::{block_on, directory};
use crate::failure::Failure;
use crate::from_ad;
use crate::output::{file, render};
use crate::rights;

/// Makes the credential spec. One that could not work is not made.
pub fn run(args: &Create) -> Result<u8, Failure> {
    // What would be refused in the end is refused before anything is asked.
    args.to.refuse_unused()?;
    if let Some(path) = args.to.out.out.as_deref().filter(|path| !path.is_dir()) {
        file::refuse_existing(path, args.to.out.overwrite)?;
    }
    if !args.grant.is_empty() && args.to.output == Some(SpecOutput::Credspec) {
        return Err(Failure::Input(
            "failed to print the contents alone: a role and its bindings come with --grant"
                .to_owned(),
        ));
    }
    let plugin = plugin::of(args)?;
    let wish = ask::wish(args)?;
    let domain = match &wish.facts {
        Facts::Given(facts) => facts.clone(),
        Facts::Directory(flags) => block_on(from_directory(args, flags, &wish.account))?,
    };
    let recipe = Recipe {
        account: &wish.account,
        additional_accounts: &args.additional_account,
        domain: &domain,
        plugin: plugin.as_ref().map(|(guid, input)| (guid.as_str(), input.as_str())),
    };
    let contents = render::value("credential spec", &recipe.make())?;
    let spec = resource(&wish.name.valid, &contents);
    let errors = judge(&spec);
    if !errors.is_empty() {
        return Err(Failure::Input(errors.join("\nerror: ")));
    }
    let grant = Grant {
        to: args.grant.clone(),
        rights: RightsFlags {
            credential_specs: vec![wish.name.valid.clone()],
            dry_run: args.to.apply.dry_run,
            output: None,
            connect: args.to.cluster.clone(),
        },
    };
    let granted = !grant.to.is_empty();
    if granted && args.to.is_cluster() {
        rights::possible(&grant)?;
    }
    let rights = if granted { rights::objects(&wish.name.valid, &grant.to) } else { Vec::new() };
    put(&[Made { spec, rights, name_from: wish.name.made_from }], &args.to)?;
    if granted && args.to.is_cluster() { rights::grant(&grant) } else { Ok(0) }
}

/// Takes the facts from the directory, and sees that the accounts are there.
async fn from_directory(
    args: &Create,
    flags: &DirectoryFlags,
    account: &str,
) -> Result<DomainFacts, Failure> {
    let directory = directory::open(flags).await?;
    let domain = directory.domain().await?;
    if let Some(wanted) = &flags.domain
        && !wanted.trim_end_matches('.').eq_ignore_ascii_case(&domain.dns_name)
    {
        return Err(Failure::Missing(format!(
            "{} is a controller of {}, not of {wanted}",
            directory.server(),
            domain.dns_name
        )));
    }
    let mut problems = Vec::new();
    for account in
        std::iter::once(account).chain(args.additional_account.iter().map(String::as_str))
    {
        problems.extend(from_ad::unusable(account, directory.account(account).await?.as_ref()));
    }
    if problems.is_empty() {
        return Ok(directory::facts(&domain));
    }
    problems.extend(directory.root_key_problem().await?);
    Err(Failure::Missing(problems.join("\nerror: ")))
}
