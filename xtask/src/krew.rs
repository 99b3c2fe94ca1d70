//! The manifest of the plugin for krew, kubectl's plugin manager
//! (`krew.googlecontainertools.github.com/v1alpha2`).

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

const RELEASES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/releases/download");
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// Renders the manifest for the archives that `checksums.txt` in a directory names, as scripts/dist.sh
/// writes it: a line of SHA-256 and file name for each.
pub fn render(directory: &Path) -> Result<String> {
    let path = directory.join("checksums.txt");
    let sums = std::fs::read_to_string(&path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    Ok(serde_saphyr::to_string(&manifest(&sums)?)?)
}

fn manifest(sums: &str) -> Result<Value> {
    let platforms: Vec<Value> = sums.lines().map(platform).collect::<Result<_>>()?;
    if platforms.is_empty() {
        bail!("failed to write a manifest for krew: there is no archive");
    }
    Ok(json!({
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "gmsa"},
        "spec": {
            "version": VERSION,
            "homepage": env!("CARGO_PKG_REPOSITORY"),
            "shortDescription": "Active Directory identities for Windows pods",
            "description": "Installs the admission webhook for group managed service accounts \
                (gMSA), makes credential specs and the accounts behind them, grants and shows who \
                may use which, and tells what admission will say.\n",
            "platforms": platforms,
        },
    }))
}

/// The entry of one archive, `kubectl-gmsa_vVERSION_OS_ARCH.tar.gz`.
fn platform(line: &str) -> Result<Value> {
    let (sum, file) = line.split_once("  ").with_context(|| format!("no checksum: {line:?}"))?;
    let name = file.strip_suffix(".tar.gz").unwrap_or_default();
    let [_, version, os, arch] = name.split('_').collect::<Vec<_>>()[..] else {
        bail!("failed to read {file:?}: expected kubectl-gmsa_vVERSION_OS_ARCH.tar.gz");
    };
    if version != VERSION {
        bail!("failed to take {file:?} into the manifest of {VERSION}: it is another version");
    }
    let bin = if os == "windows" { "kubectl-gmsa.exe" } else { "kubectl-gmsa" };
    Ok(json!({
        "selector": {"matchLabels": {"os": os, "arch": arch}},
        "uri": format!("{RELEASES}/{VERSION}/{file}"),
        "sha256": sum,
        "bin": bin,
        "files": [{"from": bin, "to": "."}, {"from": "LICENSE", "to": "."}],
    }))
}

#[cfg(test)]
mod tests {
    use super::{VERSION, manifest};

    #[test]
    fn each_archive_is_a_platform() {
        let sum = "ab".repeat(32);
        let sums = format!(
            "{sum}  kubectl-gmsa_{VERSION}_linux_amd64.tar.gz\n\
             {sum}  kubectl-gmsa_{VERSION}_windows_amd64.tar.gz\n"
        );
        let manifest = manifest(&sums).unwrap();
        let platforms = manifest["spec"]["platforms"].as_array().unwrap();
        let field = |index: usize, path: &str| platforms[index].pointer(path).unwrap().to_string();
        assert_eq!(platforms.len(), 2);
        assert_eq!(field(0, "/selector/matchLabels/os"), "\"linux\"");
        assert_eq!(field(0, "/bin"), "\"kubectl-gmsa\"");
        assert_eq!(field(1, "/bin"), "\"kubectl-gmsa.exe\"");
        assert_eq!(field(1, "/sha256"), format!("\"{sum}\""));
        assert!(field(0, "/uri").ends_with(&format!("{VERSION}_linux_amd64.tar.gz\"")));
    }

    #[test]
    fn what_is_no_archive_of_this_version_is_refused() {
        for sums in ["", "ab  x.tar.gz", "ab  kubectl-gmsa_v0.0.0_linux_amd64.tar.gz", "nonsense"] {
            assert!(manifest(sums).is_err(), "{sums}");
        }
    }
}
