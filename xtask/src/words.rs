//! Phrases to avoid in code and documents: the table in docs/style.md.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::tree;

/// The page that lists the phrases, and the heading above its table.
const STYLE: &str = "docs/style.md";
const HEADING: &str = "## Phrases that fail the check";

/// The files and directories that are checked.
const CHECKED: [&str; 12] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "charts",
    "crates",
    "docs",
    "examples",
    "findings",
    "fuzz",
    "scripts",
    "xtask",
];
const EXTENSIONS: [&str; 6] = ["md", "rs", "sh", "toml", "yaml", "tpl"];

/// Names the file and line of each phrase.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let style = tree::read(&root.join(STYLE))?;
    let phrases = phrases(&style).with_context(|| format!("{STYLE} has no table of phrases"))?;
    let mut complaints = Vec::new();
    for path in files(root)? {
        let text = tree::read(&path)?;
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        for (line, phrase) in found(&text, is_page, &phrases) {
            complaints.push(format!(
                "{}:{line}: write something else for \"{phrase}\" ({STYLE})",
                tree::shown(root, &path)
            ));
        }
    }
    Ok(complaints)
}

fn files(root: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    for checked in CHECKED {
        let path = root.join(checked);
        if path.is_dir() {
            for extension in EXTENSIONS {
                files.extend(tree::files(&path, extension)?);
            }
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// The first column of the table: phrases in backquotes.
fn phrases(style: &str) -> Option<BTreeSet<String>> {
    let (_, table) = style.split_once(HEADING)?;
    let rows = table.lines().skip_while(|line| !line.starts_with('|'));
    let cells =
        rows.take_while(|line| line.starts_with('|')).filter_map(|row| row.split('|').nth(1));
    let phrases: BTreeSet<String> =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_lowercase).collect();
    (!phrases.is_empty()).then_some(phrases)
}

/// The lines on which a phrase begins. A phrase may continue on the next line; the code of a page is
/// ignored.
fn found<'a>(text: &str, is_page: bool, phrases: &'a BTreeSet<String>) -> Vec<(usize, &'a str)> {
    let mut fenced = false;
    let mut words: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if is_page && line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        let prose: String =
            if is_page { line.split('`').step_by(2).collect() } else { line.to_owned() };
        let between = |character: char| !(character.is_alphanumeric() || "_'-".contains(character));
        let line_words = prose.split(between).filter(|word| !word.is_empty());
        words.extend(line_words.map(|word| (number + 1, word.to_lowercase())));
    }
    let mut found = Vec::new();
    for phrase in phrases {
        let wanted: Vec<&str> = phrase.split_whitespace().collect();
        for window in words.windows(wanted.len()) {
            if window.iter().map(|(_, word)| word.as_str()).eq(wanted.iter().copied()) {
                found.extend(window.first().map(|(line, _)| (*line, phrase.as_str())));
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::{HEADING, found, phrases};

    #[test]
    fn phrases_of_the_table_are_found_as_whole_words_and_over_the_end_of_a_line() {
        let style = format!(
            "# Style\n\n| `not this` | x |\n\n{HEADING}\n\n| instead of | write |\n|---|---|\n| \
             `falls to bits`, `Rend` | breaks |\n\n| `nor this` | x |\n"
        );
        let phrases = phrases(&style).unwrap();
        assert_eq!(
            phrases.iter().map(String::as_str).collect::<Vec<_>>(),
            ["falls to bits", "rend"]
        );
        let page = "It never falls to\nbits. A trend, `rend`.\n```sh\nrend\n```\nRend it.\n";
        assert_eq!(found(page, true, &phrases), [(1, "falls to bits"), (6, "rend")]);
        assert_eq!(
            found("// Rend it\nfn rend_it() {\"--rend-it\"}\n", false, &phrases),
            [(1, "rend")]
        );
        assert!(super::phrases("# Style\n").is_none());
    }
}
