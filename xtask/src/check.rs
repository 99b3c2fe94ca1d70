//! Writes the generated files, or reports which are out of date and what else is wrong.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::file::Generated;
use crate::{
    book, commands, cycles, domain, generated, length, links, output, paths, pictures, portable,
    readme, words,
};

/// Writes the generated files that differ, and names them.
pub fn generate(root: &Path) -> Result<()> {
    for file in generated::all(root)? {
        if is_current(root, &file) {
            continue;
        }
        let path = root.join(&file.path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("failed to make {}", directory.display()))?;
        }
        fs::write(&path, &file.text)
            .with_context(|| format!("failed to write {}", path.display()))?;
        output::line(format_args!("wrote {}", file.path))?;
    }
    Ok(())
}

/// Prints every complaint; the exit code is 1 if there is one.
pub fn check(root: &Path) -> Result<ExitCode> {
    let mut complaints: Vec<String> = generated::all(root)?
        .iter()
        .filter(|file| !is_current(root, file))
        .map(|file| format!("{} is not as generated; run `cargo xtask generate`", file.path))
        .collect();
    complaints.extend(links::complaints(root)?);
    complaints.extend(length::complaints(root)?);
    complaints.extend(commands::complaints(root)?);
    complaints.extend(book::complaints(root)?);
    complaints.extend(paths::complaints(root)?);
    // Taking them needs a control plane and a browser, so they may lag behind until CI looks.
    let pictures = pictures::complaints(root)?;
    if std::env::var_os("CI").is_some_and(|value| value == "true") {
        complaints.extend(pictures);
    } else {
        for note in pictures {
            output::line(format_args!("note: {note}"))?;
        }
    }
    complaints.extend(readme::complaints(root)?);
    complaints.extend(words::complaints(root)?);
    complaints.extend(domain::complaints(root)?);
    complaints.extend(cycles::complaints(root)?);
    complaints.extend(portable::complaints(root)?);
    for complaint in &complaints {
        output::line(complaint)?;
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_current(root: &Path, file: &Generated) -> bool {
    fs::read_to_string(root.join(&file.path)).is_ok_and(|text| text == file.text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Generated, is_current};

    #[test]
    fn a_missing_or_edited_file_is_not_current() {
        let directory = tempfile::tempdir().unwrap();
        let file = Generated { path: "page.md".to_owned(), text: "# Page\n".to_owned() };
        assert!(!is_current(directory.path(), &file));
        fs::write(directory.path().join("page.md"), "# Page\nand more\n").unwrap();
        assert!(!is_current(directory.path(), &file));
        fs::write(directory.path().join("page.md"), "# Page\n").unwrap();
        assert!(is_current(directory.path(), &file));
    }
}
