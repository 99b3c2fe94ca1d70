//! The man pages of a command line, made from its definition.

use anyhow::{Context as _, Result};
use clap::Command;
use clap_mangen::Man;

use crate::file::{Generated, file};

/// One page in section 1 for a command and one for each of its subcommands, in `docs/man`.
pub fn pages(command: Command) -> Result<Vec<Generated>> {
    let mut command = without_help(command);
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages)?;
    Ok(pages)
}

fn collect(command: &Command, pages: &mut Vec<Generated>) -> Result<()> {
    // `kubectl gmsa grant` is found as `man kubectl-gmsa-grant`.
    let called = command.get_bin_name().unwrap_or_else(|| command.get_name()).replace(' ', "-");
    // No date and no version: a page changes when the command does.
    let page = command.clone().display_name(called.clone()).version(None);
    let mut text = Vec::new();
    Man::new(page)
        .title(called.to_uppercase())
        .section("1")
        .date("")
        .source("kube-gmsa")
        .manual("kube-gmsa")
        .render(&mut text)
        .with_context(|| format!("failed to write the man page of {called}"))?;
    let text = String::from_utf8(text).context("failed to read a man page as text")?;
    // Without trailing white space.
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    pages.push(file(format!("docs/man/{called}.1"), format!("{}\n", lines.join("\n"))));
    for child in command.get_subcommands() {
        collect(child, pages)?;
    }
    Ok(())
}

/// Without the subcommand `help`, which needs no page.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::pages;

    #[test]
    fn every_command_has_a_page_that_names_its_flags_and_its_subcommands() {
        let review = Command::new("review").about("Judge").arg(Arg::new("all").long("all"));
        let pages = pages(Command::new("tool").subcommand(review)).unwrap();
        let paths: Vec<&str> = pages.iter().map(|page| page.path.as_str()).collect();
        assert_eq!(paths, ["docs/man/tool.1", "docs/man/tool-review.1"]);
        assert!(pages[0].text.contains("tool\\-review(1)"), "{}", pages[0].text);
        assert!(!pages[0].text.contains("help(1)"), "{}", pages[0].text);
        assert!(pages[1].text.contains("\\-\\-all"), "{}", pages[1].text);
    }
}
