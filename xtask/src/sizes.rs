//! The sizes of what a release publishes, in docs/release.md.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::tree;

/// The page with the table, and what stands before and after it.
const PAGE: &str = "docs/release.md";
const BEGIN: &str = "<!-- Written by `make sizes`. -->\n";
const END: &str = "<!-- The end of the sizes. -->\n";
/// The directories below the one of cargo, how the names of their files end, and the most bytes that each may
/// have.
const KINDS: [(&str, &[&str], u64); 2] =
    [("image", &[".tar"], 15_000_000), ("dist", &[".tar.gz", ".zip"], 12_000_000)];

/// A file of a release.
struct Artifact {
    /// Without the version.
    name: String,
    bytes: u64,
    most: u64,
}

/// Writes the table of what lies in the directory of cargo. Fails if a file is larger than it may be: a build
/// without optimization is.
pub fn write(root: &Path, target: &Path) -> Result<()> {
    let mut found = Vec::new();
    for (directory, endings, most) in KINDS {
        let directory = target.join(directory);
        let failed = || format!("failed to list {}; run `make image dist`", directory.display());
        for entry in fs::read_dir(&directory).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if endings.iter().any(|ending| name.ends_with(ending)) {
                let name = name.replace(concat!("_v", env!("CARGO_PKG_VERSION")), "");
                found.push(Artifact {
                    name,
                    bytes: entry.metadata().with_context(failed)?.len(),
                    most,
                });
            }
        }
    }
    let path = root.join(PAGE);
    let page = with(&tree::read(&path)?, &table(&mut found)?)?;
    fs::write(&path, page).with_context(|| format!("failed to write {}", path.display()))
}

fn table(found: &mut [Artifact]) -> Result<String> {
    if let Some(large) = found.iter().find(|one| one.bytes > one.most) {
        bail!(
            "{} has {} bytes, and may have {}; was it built with optimization?",
            large.name,
            large.bytes,
            large.most
        );
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let rows = found.iter().map(|one| {
        format!("| `{}` | {} | {} |\n", one.name, megabytes(one.bytes), megabytes(one.most))
    });
    Ok(format!("| file | MB | at most |\n|---|---|---|\n{}", rows.collect::<String>()))
}

/// Millions, with one digit behind the point.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The page with another table.
fn with(page: &str, table: &str) -> Result<String> {
    let parts =
        page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.with_context(|| format!("{PAGE} has no place for the sizes"))?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{Artifact, BEGIN, END, PAGE, megabytes, table, with};

    #[test]
    fn the_table_is_replaced_and_nothing_too_large_gets_into_it() {
        let of = |name: &str, bytes| Artifact { name: name.to_owned(), bytes, most: 12_000_000 };
        let rows = table(&mut [of("b.zip", 11_960_000), of("a.tar.gz", 7_049_999)]).unwrap();
        assert!(
            rows.ends_with("| `a.tar.gz` | 7.0 | 12.0 |\n| `b.zip` | 12.0 | 12.0 |\n"),
            "{rows}"
        );
        let error = table(&mut [of("b.zip", 12_000_001)]).unwrap_err().to_string();
        assert!(error.starts_with("b.zip has 12000001 bytes"), "{error}");

        let page = format!("one\n{BEGIN}old\n{END}two\n");
        assert_eq!(with(&page, &rows).unwrap(), format!("one\n{BEGIN}{rows}{END}two\n"));
        assert!(with("one\n", &rows).is_err());
        let page = crate::tree::read(&crate::tree::root().join(PAGE)).unwrap();
        assert!(with(&page, &rows).unwrap().contains(&rows));
        assert_eq!(megabytes(0), "0.0");
    }
}
