//! Paths of the repository that documents name, such as the table "to change X, open Y".

use std::path::Path;

use anyhow::Result;

use crate::tree;

/// Where the paths that are checked begin.
const FOLDERS: [&str; 8] =
    ["charts/", "crates/", "deploy/", "docs/", "examples/", "fuzz/", "scripts/", "xtask/"];

/// Names the paths in backquotes that do not exist.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in tree::files(root, "md")? {
        // What has changed since is history there.
        if path == root.join("CHANGELOG.md") {
            continue;
        }
        for name in named(&tree::read(&path)?) {
            if !root.join(&name).exists() {
                let page = tree::shown(root, &path);
                complaints.push(format!("{page} names `{name}`, which does not exist"));
            }
        }
    }
    Ok(complaints)
}

fn named(text: &str) -> Vec<String> {
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let paths = spans.filter(|span| FOLDERS.iter().any(|folder| span.starts_with(folder)));
    paths
        .filter(|path| !path.contains(['*', ' ', '<', '{']))
        .map(|path| path.trim_end_matches('/').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn a_path_that_is_gone_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("crates/core")).unwrap();
        fs::create_dir_all(root.join("docs")).unwrap();
        let page = "Open `crates/core/`, `crates/gone.rs`, `crates/*/tests`, `shop/web`.\n";
        fs::write(root.join("docs/a.md"), page).unwrap();
        let complaints = super::complaints(root).unwrap();
        assert_eq!(complaints, ["docs/a.md names `crates/gone.rs`, which does not exist"]);
    }
}
