//! The project's domain: one, and in one file of the sources.

use std::path::Path;

use anyhow::Result;
use gmsa_core::names::DOMAIN;

use crate::tree;

/// The file of names.
const NAMES: &str = "crates/gmsa-core/src/names.rs";
/// Ends of domains that the project could be written with by mistake.
const ENDS: [&str; 5] = ["dev", "io", "com", "org", "net"];
/// Files that may contain the domain: only Rust can refer to the file of names.
const KINDS: [&str; 6] = ["rs", "ps1", "yaml", "tpl", "snap", "md"];

/// Names the files that write another domain, and the sources that write it themselves.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let (project, _) = DOMAIN.rsplit_once('.').unwrap_or((DOMAIN, ""));
    let others: Vec<String> =
        ENDS.iter().map(|end| format!("{project}.{end}")).filter(|name| name != DOMAIN).collect();
    let mut complaints = Vec::new();
    for kind in KINDS {
        for path in tree::files(root, kind)? {
            let name = tree::shown(root, &path).to_string().replace('\\', "/");
            let text = tree::read(&path)?;
            if let Some(other) = others.iter().find(|other| text.contains(other.as_str())) {
                complaints.push(format!("{name} writes {other}; the domain is {DOMAIN}"));
            }
            let is_test = name.ends_with("tests.rs");
            let is_source = kind == "rs" && name.contains("src/") && !is_test && name != NAMES;
            if is_source && text.contains(DOMAIN) {
                complaints.push(format!("{name} writes the domain; take it from {NAMES}"));
            }
        }
    }
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{DOMAIN, ENDS};

    #[test]
    fn a_second_domain_and_a_second_place_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let (project, end) = DOMAIN.rsplit_once('.').unwrap();
        let wrong = format!("{project}.{}", ENDS.iter().find(|other| **other != end).unwrap());
        for (name, text) in [
            ("src/a.rs", format!("const A: &str = \"{DOMAIN}/v1\";")),
            ("src/a/tests.rs", format!("assert_eq!(a, \"{DOMAIN}/v1\");")),
            ("tests/b.rs", format!("assert_eq!(a, \"{DOMAIN}/v1\");")),
            ("tests/c.rs", format!("assert_eq!(a, \"{wrong}/v1\");")),
            ("chart/d.yaml", format!("name: validate.{wrong}")),
            ("chart/e.yaml", format!("name: validate.{DOMAIN}")),
        ] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(
            super::complaints(root).unwrap(),
            [
                "src/a.rs writes the domain; take it from crates/gmsa-core/src/names.rs".to_owned(),
                format!("tests/c.rs writes {wrong}; the domain is {DOMAIN}"),
                format!("chart/d.yaml writes {wrong}; the domain is {DOMAIN}"),
            ]
        );
    }
}
