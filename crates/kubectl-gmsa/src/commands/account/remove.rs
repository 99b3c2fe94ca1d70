//! `kubectl gmsa account remove`

use std::io::{self, IsTerminal as _};

use crate::cli::account::Remove;
use crate::cli::shared::DryRun;
use crate::commands::runtime::block_on;
use crate::commands::{Failure, directory};
use crate::printer;

/// Removes the account, after a question.
pub(super) fn run(args: &Remove) -> Result<u8, Failure> {
    block_on(async {
        let dry_run = args.dry_run != DryRun::None;
        if !dry_run && !args.yes && !io::stdin().is_terminal() {
            return Err(Failure::Input(format!(
                "failed to remove the account {}: give --yes where nobody can be asked",
                args.account
            )));
        }
        let directory = directory::open(&args.directory).await?;
        let dn = directory.remove(&args.account, true).await?;
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
