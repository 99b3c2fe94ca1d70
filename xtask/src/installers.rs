//! The manifests of the plugin for installers: krew, kubectl's plugin manager; Scoop and winget on
//! Windows.

mod archive;
mod krew;
mod scoop;
#[cfg(test)]
mod tests;
mod winget;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use archive::Archive;
use serde_json::Value;

const HOMEPAGE: &str = env!("CARGO_PKG_REPOSITORY");
const NUMBER: &str = env!("CARGO_PKG_VERSION");
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));
const RELEASES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/releases/download");
const LICENSE: &str = env!("CARGO_PKG_LICENSE");
const SUMMARY: &str = "Active Directory identities for Windows pods";

/// Writes the manifests for the archives that `checksums.txt` in a directory names, as scripts/dist.sh
/// writes it: a line of SHA-256 and file name for each. Scoop's and winget's are written if there is an
/// archive for Windows.
pub fn write(directory: &Path) -> Result<()> {
    let path = directory.join("checksums.txt");
    let sums = std::fs::read_to_string(&path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    for (name, text) in render(&sums)? {
        let path = directory.join(name);
        let failed = || format!("failed to write {}", path.display());
        std::fs::create_dir_all(path.parent().unwrap_or(directory)).with_context(failed)?;
        std::fs::write(&path, text).with_context(failed)?;
    }
    Ok(())
}

/// The files, with their names.
fn render(sums: &str) -> Result<Vec<(&'static str, String)>> {
    let archives: Vec<Archive> = sums.lines().map(archive::read).collect::<Result<_>>()?;
    if archives.is_empty() {
        bail!("failed to write manifests for installers: there is no archive");
    }
    let mut files = vec![("gmsa.yaml", yaml(&krew::manifest(&archives))?)];
    let windows: Vec<&Archive> = archives.iter().filter(|one| one.os == "windows").collect();
    if !windows.is_empty() {
        let scoop = serde_json::to_string_pretty(&scoop::manifest(&windows)?)?;
        files.push(("kubectl-gmsa.json", format!("{scoop}\n")));
        for (name, manifest) in winget::manifests(&windows)? {
            files.push((name, yaml(&manifest)?));
        }
    }
    Ok(files)
}

fn yaml(manifest: &Value) -> Result<String> {
    Ok(format!("{}\n", serde_saphyr::to_string(manifest)?.trim_end()))
}
