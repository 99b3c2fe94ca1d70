//! Every command that the code prints and the documents name, and how each is run.
//!
//! docs/commands.yaml says how. A command without an entry there fails the check, and so does an
//! entry without a command; docs/commands.md is the table of both.

mod collect;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use collect::Found;
use pattern::Pattern;

const ENTRIES: &str = "docs/commands.yaml";
/// The generated table.
pub const PAGE: &str = "docs/commands.md";
/// Runs what is in blocks marked `sh`, and fails for one that it does not know.
const OF_PAGES: &str = "kubectl-gmsa::documentation::every_command_works";
/// Runs the lines of the entries.
const OF_ENTRIES: &str = "kubectl-gmsa::commands::every_line_has_the_effect_that_is_promised";

/// How the commands of one form are run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The form: `*` is one word, `...` any number of them.
    command: String,
    /// The test that runs it, as CRATE::FILE::FUNCTION.
    test: Option<String>,
    /// The line that the test of the entries runs in bash, with its placeholders filled in.
    run: Option<String>,
    /// What makes it impossible to run here: `windows`, `cloud`, `kubelet`, `network`.
    marked: Option<String>,
    /// Why it is marked, or what is checked of it.
    why: Option<String>,
    /// The words that the output has; for the test of the entries.
    #[serde(rename = "gives")]
    _gives: Option<String>,
    /// The line that sees the effect, and the words of its output; for the test of the entries.
    #[serde(rename = "then")]
    _then: Option<serde::de::IgnoredAny>,
    /// The exit code, 0 if it is left out; for the test of the entries.
    #[serde(rename = "code")]
    _code: Option<u8>,
    /// An example of a marked command, whose syntax a test checks.
    #[serde(rename = "example")]
    _example: Option<String>,
}

/// Every command with the entry that says how it is run.
struct Table {
    entries: Vec<(Pattern, Entry, BTreeSet<String>)>,
    /// Those of blocks marked `sh`.
    of_pages: BTreeSet<String>,
    /// No entry says how these are run.
    missing: Vec<Found>,
}

fn table(root: &Path) -> Result<Table> {
    let text = fs::read_to_string(root.join(ENTRIES))
        .with_context(|| format!("failed to read {ENTRIES}"))?;
    let entries: Vec<Entry> =
        serde_saphyr::from_str(&text).with_context(|| format!("failed to read {ENTRIES}"))?;
    let mut table = Table {
        entries: entries
            .into_iter()
            .map(|entry| (Pattern::new(&entry.command), entry, BTreeSet::new()))
            .collect(),
        of_pages: BTreeSet::new(),
        missing: Vec::new(),
    };
    for found in collect::all(root)? {
        let entry = table.entries.iter_mut().find(|(pattern, ..)| pattern.covers(&found));
        match entry {
            Some((.., commands)) => {
                commands.insert(found.text);
            }
            None if found.run_by_page => {
                table.of_pages.insert(found.text);
            }
            None => table.missing.push(found),
        }
    }
    Ok(table)
}

/// What is wrong with the table.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let table = table(root)?;
    let mut complaints: Vec<String> = table
        .missing
        .iter()
        .map(|found| {
            format!("{}: no entry of {ENTRIES} says how `{}` is run", found.file, found.text)
        })
        .collect();
    let tests = tests(root)?;
    let named = |test: &str| tests.contains(test.rsplit("::").next().unwrap_or_default());
    for (pattern, entry, commands) in &table.entries {
        let command = &entry.command;
        if commands.is_empty() {
            complaints.push(format!("{ENTRIES}: nothing prints or names `{command}`"));
        }
        let ways = [&entry.test, &entry.run, &entry.marked];
        if ways.into_iter().flatten().count() != 1 {
            complaints.push(format!("{ENTRIES}: `{command}` needs one of test, run and marked"));
        }
        if let Some(test) = entry.test.as_deref().filter(|test| !named(test)) {
            complaints.push(format!("{ENTRIES}: `{command}`: there is no test {test}"));
        }
        if let Some(line) = entry.run.as_deref().filter(|line| !pattern.is_in(line)) {
            complaints.push(format!("{ENTRIES}: `{line}` is not of the form `{command}`"));
        }
        if entry.marked.is_some() && entry.why.is_none() {
            complaints.push(format!("{ENTRIES}: `{command}` is marked without a `why`"));
        }
    }
    for test in [OF_PAGES, OF_ENTRIES] {
        if !named(test) {
            complaints.push(format!("{ENTRIES}: there is no test {test}"));
        }
    }
    Ok(complaints)
}

/// The names of all functions in tests.
fn tests(root: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for path in collect::files(root)? {
        if !path.ends_with(".rs") {
            continue;
        }
        let text = fs::read_to_string(root.join(&path)).unwrap_or_default();
        let after = text.split("\n#[test]\n").chain(text.split("fn ")).skip(1);
        names.extend(after.filter_map(|rest| Some(rest.split_once('(')?.0.trim().to_owned())));
    }
    Ok(names)
}

/// Renders docs/commands.md.
pub fn page(root: &Path) -> Result<String> {
    let table = table(root)?;
    let mut rows: BTreeMap<&str, String> = BTreeMap::new();
    let (mut run, mut marked) = (table.of_pages.len(), 0);
    for command in &table.of_pages {
        rows.insert(command, format!("runs: `{OF_PAGES}`"));
    }
    for (_, entry, commands) in &table.entries {
        let how = match (&entry.test, &entry.marked) {
            (Some(test), _) => format!("runs: `{test}`"),
            (None, Some(mark)) => {
                format!("{mark}: {}", entry.why.as_deref().unwrap_or_default())
            }
            (None, None) => format!("runs: `{OF_ENTRIES}`"),
        };
        if entry.marked.is_some() {
            marked += commands.len();
        } else {
            run += commands.len();
        }
        for command in commands {
            rows.insert(command, how.clone());
        }
    }
    let mut page = format!(
        "# Commands\n\n<!-- Generated by `cargo xtask generate`. -->\n\n\
         Every command that a message, a finding, a remedy, a help text or a document names, and how \
         it is tried. `cargo xtask check` collects them from the code and the documents, and fails \
         for one without an entry in [commands.yaml](commands.yaml). `X` stands for what is filled \
         in.\n\n{} commands: {run} are run by a test, {marked} are marked, because they cannot be \
         run on the machine of a test.\n\n| Command | How it is tried |\n| --- | --- |\n",
        run + marked
    );
    for (command, how) in rows {
        let command = command.replace('|', "\\|");
        page.push_str(&format!("| `{command}` | {how} |\n"));
    }
    Ok(page)
}
