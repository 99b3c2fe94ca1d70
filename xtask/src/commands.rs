//! Every command that the code prints and the documents name, and how each is run.
//!
//! docs/commands.yaml says how. A command without an entry there fails the check, and so does an
//! entry without a command; docs/commands.md is the table of both.

mod collect;
mod flags;
mod pattern;
mod proof;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use collect::Found;
use pattern::Pattern;
use proof::Tests;

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
    /// A name that the test uses for the command, where its words are not in the test.
    by: Option<String>,
    /// The words that the output of the line has.
    gives: Option<String>,
    /// The line that sees the effect.
    then: Option<Then>,
    /// The exit code of the line, 0 if it is left out.
    code: Option<u8>,
    /// An example of a marked command, whose syntax a test checks.
    example: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    run: String,
    /// The words of its output.
    gives: String,
}

impl Entry {
    /// How its commands are tried, for the table.
    fn shown(&self) -> String {
        if let Some(test) = &self.test {
            return format!("test `{test}`");
        }
        if let Some(mark) = &self.marked {
            return format!("{mark}: {}", self.why.as_deref().unwrap_or_default());
        }
        let mut how = format!("runs as {}", code(self.run.as_deref().unwrap_or_default()));
        if let Some(code) = self.code {
            // Writing to a String does not fail, here and below.
            let _ = write!(how, ", ends with {code}");
        }
        if let Some(gives) = &self.gives {
            let _ = write!(how, ", prints {}", code(gives));
        }
        if let Some(then) = &self.then {
            let _ = write!(how, "; then {} prints {}", code(&then.run), code(&then.gives));
        }
        how
    }

    /// What is wrong with it, of itself.
    fn complaints(&self, pattern: &Pattern, tests: &Tests) -> Vec<String> {
        let mut found = Vec::new();
        let ways = [&self.test, &self.run, &self.marked];
        if ways.into_iter().flatten().count() != 1 {
            found.push("needs one of test, run and marked".to_owned());
        }
        if let Some(test) = &self.test {
            found.extend(tests.doubt(test, pattern.fixed(), self.by.as_deref()));
        }
        if let Some(line) = &self.run {
            if !pattern.is_in(line) {
                found.push(format!("`{line}` is not of that form"));
            }
            // An exit code alone says too little.
            let says = |words: &str| !words.trim().is_empty();
            if !self.gives.as_deref().is_some_and(says)
                && !self.then.as_ref().is_some_and(|then| says(&then.gives))
            {
                found.push(format!("nothing says what `{line}` does: gives or then"));
            }
        } else if self.gives.is_some() || self.then.is_some() || self.code.is_some() {
            found.push("has gives, then or code without a line to run".to_owned());
        }
        if self.marked.is_some() && self.why.is_none() {
            found.push("is marked without a why".to_owned());
        }
        if self.marked.as_deref() == Some("windows") && self.example.is_none() {
            found.push("is for Windows and has no example, whose syntax can be checked".to_owned());
        }
        found
    }
}

/// As code in a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
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
    let tests = Tests::new(root);
    for (pattern, entry, commands) in &table.entries {
        let command = &entry.command;
        if commands.is_empty() {
            complaints.push(format!("{ENTRIES}: nothing prints or names `{command}`"));
        }
        let own = entry.complaints(pattern, &tests).into_iter();
        complaints.extend(own.map(|why| format!("{ENTRIES}: `{command}`: {why}")));
    }
    for test in [OF_PAGES, OF_ENTRIES] {
        let doubt = tests.doubt(test, [].into_iter(), None);
        complaints.extend(doubt.map(|why| format!("{ENTRIES}: {why}")));
    }
    Ok(complaints)
}

/// Renders docs/commands.md.
pub fn page(root: &Path) -> Result<String> {
    let table = table(root)?;
    // The first entry counts for a command that is named in two ways.
    let mut rows: BTreeMap<&str, Option<&Entry>> = BTreeMap::new();
    for (_, entry, commands) in &table.entries {
        for command in commands {
            rows.entry(command).or_insert(Some(entry));
        }
    }
    for command in &table.of_pages {
        rows.entry(command).or_insert(None);
    }
    let (mut pages, mut lines, mut tested) = (0, 0, 0);
    let mut marked: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in rows.values() {
        match entry.map(|entry| (&entry.run, &entry.marked)) {
            None => pages += 1,
            Some((Some(_), _)) => lines += 1,
            Some((None, Some(mark))) => *marked.entry(mark).or_default() += 1,
            Some((None, None)) => tested += 1,
        }
    }
    let marks: Vec<String> = marked.iter().map(|(mark, count)| format!("{count} {mark}")).collect();
    let mut page = format!(
        "# Commands\n\n<!-- Generated by `cargo xtask generate`. -->\n\n\
         Every command that a message, a finding, a remedy, a help text or a document names, and how \
         it is tried. `cargo xtask check` collects them from the code and the documents, and fails \
         for one without an entry in [commands.yaml](commands.yaml). `X` stands for what is filled \
         in.\n\n{} commands:\n\n\
         - {} are run: {lines} as a line of their own by `{OF_ENTRIES}`, {pages} where a page has them by \
         `{OF_PAGES}`, {tested} by another test, which the table names;\n\
         - {} are marked, because they cannot be run on the machine of a test: {}.\n\n\
         | Command | How it is tried |\n| --- | --- |\n",
        rows.len(),
        lines + pages + tested,
        marked.values().sum::<usize>(),
        marks.join(", ")
    );
    for (command, entry) in rows {
        let of_page = || format!("test `{OF_PAGES}`, as it is in the page");
        let how = entry.map_or_else(of_page, Entry::shown);
        let _ = writeln!(page, "| {} | {how} |", code(command));
    }
    Ok(page)
}
