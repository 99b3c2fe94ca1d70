//! `kubectl gmsa account allow` and `disallow`

use std::fmt::Write as _;

use gmsa_directory::PrincipalKind;
use gmsa_directory::account::Effect;

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
    let effects = block_on(async {
        let directory = directory::open(&args.directory).await?;
        let all = directory::principals(&directory, wanted).await?;
        let name = &args.account;
        Ok(match direction {
            Direction::Allow => directory.allow(name, &all, dry_run).await?,
            Direction::Disallow => directory.disallow(name, &all, dry_run).await?,
        })
    })?;
    let mut text = String::new();
    for effect in &effects {
        let how = match (effect.changed, dry_run) {
            (true, true) => " (dry run)",
            (true, false) => "",
            (false, _) => " (unchanged)",
        };
        let still = direction == Direction::Disallow;
        let sentence = effect.right.sentence(&effect.principal.name, still);
        let sentence =
            sentence.replacen("the password", &format!("the password of {}", args.account), 1);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{sentence}{how}");
    }
    printer::data(&text)?;
    let of_group =
        |effect: &Effect| effect.changed && effect.principal.kind == PrincipalKind::Group;
    if direction == Direction::Allow && !dry_run && effects.iter().any(of_group) {
        printer::note("a host that is allowed by a new membership in a group must restart first");
    }
    let wish = direction == Direction::Allow;
    let unfulfilled = effects.iter().filter(|effect| effect.right.may != Some(wish));
    let mut code = 0;
    for effect in unfulfilled {
        code = 1;
        printer::warning(&not_so(&args.account, effect, direction));
    }
    Ok(code)
}

/// Why the wish did not come true, and what to do.
fn not_so(account: &str, effect: &Effect, direction: Direction) -> String {
    let name = &effect.principal.name;
    let why = &effect.right.why;
    match (direction, effect.right.may) {
        (_, None) => format!(
            "whether {name} may read the password now was not found out: {why}; look with `kubectl gmsa \
             account check` as an administrator"
        ),
        (Direction::Allow, _) => format!(
            "{name} still may not read the password: {why}; an entry that denies it is before the \
             one that allows it: take that entry out with the tool that made it, or {name} out of the group"
        ),
        (Direction::Disallow, _) => {
            let next = effect.right.group.as_ref().map_or_else(String::new, |group| {
                let command =
                    format!("`kubectl gmsa account disallow {account} --group '{}'`", group.name);
                if group.is_everyone {
                    format!(
                        ": every account of the domain is in it; allow a group of the nodes, then \
                             revoke its right with {command}"
                    )
                } else {
                    format!(
                        ": remove it from that group, or revoke the group's right with {command}"
                    )
                }
            });
            format!("{name} may still read the password, {why}{next}")
        }
    }
}
