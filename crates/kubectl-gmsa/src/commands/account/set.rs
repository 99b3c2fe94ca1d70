//! `kubectl gmsa account set`

use std::fmt::Write as _;

use gmsa_directory::account::AccountChange;

use super::create::bits;
use crate::cli::account::Set;
use crate::connect::{block_on, directory};
use crate::failure::Failure;
use crate::output::printer;

/// Compares, and changes what differs.
pub fn run(args: &Set) -> Result<u8, Failure> {
    block_on(async {
        let directory = directory::open(&args.directory).await?;
        let wish = AccountChange {
            encryption_types: (!args.encryption.is_empty()).then(|| bits(&args.encryption)),
            add_service_principal_names: args.add_spn.clone(),
            remove_service_principal_names: args.remove_spn.clone(),
            dns_host_name: args.dns_host_name.clone(),
            description: args.description.clone(),
            enabled: (args.enable || args.disable).then_some(args.enable),
            expires: args.expires,
            end_delegation: args.end_delegation.iter().map(|kind| (*kind).into()).collect(),
        };
        let plan = directory.plan_change(&args.account, &wish).await?;
        for warning in &plan.warnings {
            printer::warning(warning);
        }
        if plan.differences.is_empty() {
            printer::data(&format!("{} (unchanged)\n", plan.dn))?;
            return Ok(0);
        }
        if args.dry_run.is_set() {
            printer::data(&plan.ldif())?;
            return Ok(0);
        }
        directory.make_change(&plan).await?;
        let mut text = format!("changed {}\n", plan.dn);
        for (attribute, before, after) in &plan.differences {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {attribute}: {before} -> {after}");
        }
        printer::data(&text)?;
        if !args.encryption.is_empty() {
            printer::note(
                "services with a keytab of the account need a new one; containers get the change with \
                 their next ticket",
            );
        }
        Ok(0)
    })
}
