//! Source files so long that they probably have more than one subject.

use std::path::Path;

use anyhow::Result;

use crate::tree;

const MAX_LINES: usize = 800;

/// Files that may be longer, each with its reason.
const EXCEPTIONS: [&str; 0] = [];

/// Names the source files that are too long, and the exceptions that are none any more.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in tree::files(root, "rs")? {
        let lines = tree::read(&path)?.lines().count();
        let name = tree::shown(root, &path).to_string();
        let excepted = EXCEPTIONS.contains(&name.as_str());
        if lines > MAX_LINES && !excepted {
            complaints.push(format!("{name} has {lines} lines; give each of its subjects a file"));
        } else if lines <= MAX_LINES && excepted {
            complaints.push(format!("{name} is short enough now; strike it from the exceptions"));
        }
    }
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn only_long_sources_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("target")).unwrap();
        for (name, lines) in [("short.rs", 800), ("long.rs", 801), ("target/made.rs", 1000)] {
            fs::write(root.join(name), "x\n".repeat(lines)).unwrap();
        }
        let complaints = super::complaints(root).unwrap();
        assert_eq!(complaints, ["long.rs has 801 lines; give each of its subjects a file"]);
    }
}
