//! Every command that the code prints and the documents name, and how each is run.
//!
//! docs/commands.yaml says how. A command without an entry there fails the check, and so does an
//! entry without a command; docs/commands.md is the table of both.

mod collect;
mod flags;
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
    /// The form: `*` is any part of one word, `...` any number of words.
    command: String,
    /// The test that runs it, as `CRATE::FILE::FUNCTION`.
    test: Option<String>,
    /// The line that the test of the entries runs in bash, with its placeholders filled in.
    run: Option<String>,
    /// What makes it impossible to run here, such as `windows` or `kubelet`.
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
    /// What the plugin would refuse, with why.
    refused: Vec<String>,
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
        refused: Vec::new(),
    };
    let plugin = kubectl_gmsa::command();
    for found in collect::all(root)? {
        table.refused.extend(
            flags::unknown(&plugin, &found.text)
                .map(|why| format!("{}: `{}`: {why}", found.file, found.text)),
        );
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
    complaints.extend(table.refused);
    let named = |test: &str| source(root, test).is_some();
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
        if let Some(source) = entry.test.as_deref().and_then(|test| source(root, test)) {
            for flag in pattern.flags().filter(|flag| !source.contains(flag)) {
                complaints.push(format!("{ENTRIES}: `{command}`: its test does not use {flag}"));
            }
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

/// The text of the file with a test, which is named as `CRATE::FILE::FUNCTION`.
fn source(root: &Path, test: &str) -> Option<String> {
    let (path, function) = test.rsplit_once("::")?;
    let (of, file) = path.split_once("::")?;
    let path = format!("crates/{of}/tests/it/{}.rs", file.replace("::", "/"));
    let source = fs::read_to_string(root.join(path)).ok()?;
    source.contains(&format!("fn {function}(")).then_some(source)
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
