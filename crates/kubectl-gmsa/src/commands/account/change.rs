//! `kubectl gmsa account allow` and `disallow`

use std::fmt::Write as _;

use gmsa_directory::{Directory, Principal};

use crate::cli::account::Change;
use crate::connect::{block_on, directory};
use crate::failure::Failure;
use crate::output::printer;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Allow,
    Disallow,
}

/// Changes who may read the password.
pub fn run(args: &Change, direction: Direction) -> Result<u8, Failure> {
    let wanted = &args.principals;
    if wanted.host.is_empty() && wanted.group.is_empty() && wanted.user.is_empty() {
        return Err(Failure::Input("name whom, with --host, --group or --user".to_owned()));
    }
    let dry_run = args.dry_run.is_set();
    let (changed, all, denied) = block_on(async {
        let directory = directory::open(&args.directory).await?;
        let all = directory::principals(&directory, wanted).await?;
        let name = &args.account;
        let changed = match direction {
            Direction::Allow => directory.allow(name, &all, dry_run).await?,
            Direction::Disallow => directory.disallow(name, &all, dry_run).await?,
        };
        let denied = match direction {
            Direction::Allow if !dry_run => still_denied(&directory, name, &all).await?,
            _ => Vec::new(),
        };
        Ok((changed, all, denied))
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
    for name in &denied {
        printer::warning(&format!(
            "{name} may not read the password all the same: an entry that denies it stands before the one \
             that allows it; take that entry out with the tool that made it"
        ));
    }
    Ok(u8::from(!denied.is_empty()))
}

/// Whom an entry of somebody else's denies what was allowed.
async fn still_denied(
    directory: &Directory,
    account: &str,
    allowed: &[Principal],
) -> Result<Vec<String>, Failure> {
    let account = directory.account(account).await?;
    let membership = account.and_then(|account| account.membership);
    let denied = |principal: &&Principal| {
        let sids = std::slice::from_ref(&principal.sid);
        membership.as_ref().is_some_and(|membership| !membership.allows(sids))
    };
    Ok(allowed.iter().filter(denied).map(|principal| principal.name.clone()).collect())
}
