//! `kubectl gmsa account allow` and `disallow`

use std::fmt::Write as _;

use crate::cli::account::Change;
use crate::cli::shared::DryRun;
use crate::commands::runtime::block_on;
use crate::commands::{Failure, directory};
use crate::printer;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Allow,
    Disallow,
}

/// Changes who may read the password.
pub(super) fn run(args: &Change, direction: Direction) -> Result<u8, Failure> {
    let wanted = &args.principals;
    if wanted.host.is_empty() && wanted.group.is_empty() && wanted.user.is_empty() {
        return Err(Failure::Input("name whom, with --host, --group or --user".to_owned()));
    }
    let dry_run = args.dry_run != DryRun::None;
    let (changed, all) = block_on(async {
        let directory = directory::open(&args.directory).await?;
        let all = directory::principals(&directory, wanted).await?;
        let name = &args.account;
        let changed = match direction {
            Direction::Allow => directory.allow(name, &all, dry_run).await?,
            Direction::Disallow => directory.disallow(name, &all, dry_run).await?,
        };
        Ok((changed, all))
    })?;
    let may = match direction {
        Direction::Allow => "may",
        Direction::Disallow => "may not",
    };
    let mut text = String::new();
    for principal in &all {
        let how = match (changed.contains(principal), dry_run) {
            (true, true) => " (dry run)",
            (true, false) => "",
            (false, _) => " (unchanged)",
        };
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "{} {may} read the password of {}{how}", principal.name, args.account);
    }
    printer::data(&text)?;
    if direction == Direction::Allow && !dry_run && !changed.is_empty() {
        printer::note("a host that is allowed by a new membership in a group must restart first");
    }
    Ok(0)
}
