//! The README stays short.

use std::path::Path;

use anyhow::Result;

use crate::tree;

/// How many words it has at most before its reference links.
const MOST: usize = 600;
/// Where the reference links begin.
const REFERENCE: &str = "\n## Read on\n";

/// Says when the README is too long, or has no section of reference links.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    Ok(complaint(&tree::read(&root.join("README.md"))?).into_iter().collect())
}

fn complaint(text: &str) -> Option<String> {
    let Some((before, _)) = text.split_once(REFERENCE) else {
        return Some(format!("README.md has no section \"{}\"", REFERENCE.trim()));
    };
    let words = before.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
    let words = words.count();
    (words > MOST).then(|| format!("README.md has {words} words before its links; at most {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::{MOST, REFERENCE, complaint};

    #[test]
    fn words_are_counted_before_the_links_alone() {
        let page =
            |words: usize| format!("| {}|\n{REFERENCE}{}", "word ".repeat(words), "x ".repeat(900));
        assert_eq!(complaint(&page(MOST)), None);
        assert!(complaint(&page(MOST + 1)).unwrap().contains("has 601 words"));
        assert!(complaint("# Title\n").is_some());
    }
}
