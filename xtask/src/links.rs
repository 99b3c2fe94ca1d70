//! Links between the documents of the repository.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use anyhow::Result;

use crate::tree;

/// Names the relative links that lead nowhere: to no file, or to no heading of a Markdown file.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in tree::files(root, "md")? {
        let text = tree::read(&path)?;
        for link in relative_links(&text) {
            if let Some(why) = is_broken(root, &path, &link)? {
                complaints.push(format!("{}: the link {link} {why}", tree::shown(root, &path)));
            }
        }
    }
    Ok(complaints)
}

fn is_broken(root: &Path, from: &Path, link: &str) -> Result<Option<&'static str>> {
    let (target, heading) = link.split_once('#').unwrap_or((link, ""));
    let path = match target {
        "" => from.to_owned(),
        _ => from.parent().unwrap_or(root).join(target),
    };
    let Ok(path) = path.canonicalize() else { return Ok(Some("leads to no file")) };
    if !path.starts_with(root.canonicalize()?) {
        return Ok(Some("leads out of the repository"));
    }
    if heading.is_empty() || path.extension().is_none_or(|extension| extension != "md") {
        return Ok(None);
    }
    let known = anchors(&tree::read(&path)?).contains(heading);
    Ok((!known).then_some("leads to no heading of that file"))
}

/// The lines of prose: outside fenced code, without code spans.
fn prose(text: &str) -> impl Iterator<Item = String> {
    let mut fenced = false;
    text.lines().filter_map(move |line| {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then(|| line.split('`').step_by(2).collect())
    })
}

/// The links of a page that lead to other files.
pub fn relative_links(text: &str) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for line in prose(text) {
        links.extend(
            line.split("](")
                .skip(1)
                .filter_map(|rest| rest.split([')', ' ']).next())
                .map(str::to_owned),
        );
        if let Some((_, target)) = line.split_once("]: ").filter(|_| line.starts_with('[')) {
            links.insert(target.trim().to_owned());
        }
    }
    links.retain(|link| !link.contains(':'));
    links
}

/// The anchors that GitHub gives the headings: lower case, spaces as hyphens, no punctuation,
/// repeated ones numbered.
fn anchors(text: &str) -> HashSet<String> {
    let mut fenced = false;
    let mut anchors = HashSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced || !line.starts_with('#') {
            continue;
        }
        let slug: String = line
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'))
            .map(|character| if character == ' ' { '-' } else { character })
            .collect();
        let mut anchor = slug.clone();
        let mut repeated = 0_u32;
        while !anchors.insert(anchor.clone()) {
            repeated += 1;
            anchor = format!("{slug}-{repeated}");
        }
    }
    anchors
}

#[cfg(test)]
mod tests;
