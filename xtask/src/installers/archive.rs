//! What the name of an archive says.

use anyhow::{Context as _, Result, bail};

use super::{RELEASES, VERSION};

/// An archive of this version.
pub(super) struct Archive {
    /// `kubectl-gmsa_vVERSION_OS_ARCH.tar.gz`, or `.zip` for Windows.
    file: String,
    pub(super) sum: String,
    /// `linux`, `darwin` or `windows`, as Go calls it.
    pub(super) os: String,
    /// `amd64` or `arm64`.
    pub(super) arch: String,
}

impl Archive {
    pub(super) fn uri(&self) -> String {
        format!("{RELEASES}/{VERSION}/{}", self.file)
    }

    pub(super) fn program(&self) -> &'static str {
        if self.os == "windows" { "kubectl-gmsa.exe" } else { "kubectl-gmsa" }
    }
}

/// Reads a line of `checksums.txt`.
pub(super) fn read(line: &str) -> Result<Archive> {
    let (sum, file) = line.split_once("  ").with_context(|| format!("not a checksum: {line:?}"))?;
    let name =
        file.strip_suffix(".tar.gz").or_else(|| file.strip_suffix(".zip")).unwrap_or_default();
    let [_, version, os, arch] = name.split('_').collect::<Vec<_>>()[..] else {
        bail!("failed to read {file:?}: expected kubectl-gmsa_vVERSION_OS_ARCH.tar.gz or .zip");
    };
    if version != VERSION {
        bail!("failed to take {file:?} into the manifests of {VERSION}: it is another version");
    }
    Ok(Archive {
        file: file.to_owned(),
        sum: sum.to_owned(),
        os: os.to_owned(),
        arch: arch.to_owned(),
    })
}
