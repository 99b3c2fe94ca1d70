//! Files that a command writes.

use std::io::{self, Write as _};
use std::path::Path;

use crate::failure::Failure;

/// Refuses a file in a folder that does not exist, or that is a folder itself, before any work is done for
/// it.
pub fn refuse_nowhere(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(failed(path, "it is a folder"));
    }
    if folder(path).is_dir() { Ok(()) } else { Err(failed(path, "its folder does not exist")) }
}

/// Refuses a file that exists, before any work is done for it.
pub fn refuse_existing(path: &Path, overwrite: bool) -> Result<(), Failure> {
    if !overwrite && path.exists() {
        return Err(exists(path));
    }
    Ok(())
}

/// Writes a file in full or not at all. One that exists is replaced only if that is wished.
pub fn write(path: &Path, text: &str, overwrite: bool) -> Result<(), Failure> {
    // The default mode, which the umask restricts.
    put(path, text.as_bytes(), overwrite, 0o666)
}

/// As [`write`]; on Unix other users cannot read the file.
pub fn write_private(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), Failure> {
    put(path, bytes, overwrite, 0o600)
}

fn put(path: &Path, bytes: &[u8], overwrite: bool, mode: u32) -> Result<(), Failure> {
    try_to_put(path, bytes, overwrite, mode).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => failed(path, &error.to_string()),
    })
}

fn try_to_put(path: &Path, bytes: &[u8], overwrite: bool, mode: u32) -> io::Result<()> {
    // A device or a pipe is written to, not replaced; a link leads to the file that is.
    if (overwrite && path.metadata().is_ok_and(|found| !found.is_file())) || is_null_device(path) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    if cfg!(windows) && is_device_name(path) {
        return Err(io::Error::other(
            "Windows keeps this name for a device, with any extension; choose another name",
        ));
    }
    let resolved = path.canonicalize();
    let path = resolved.as_deref().unwrap_or(path);
    let mut file = new_file(folder(path), mode)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let persisted = if overwrite { file.persist(path) } else { file.persist_noclobber(path) };
    persisted.map(drop).map_err(|error| error.error)
}

#[cfg(unix)]
fn new_file(directory: &Path, mode: u32) -> io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = std::fs::Permissions::from_mode(mode);
    tempfile::Builder::new().permissions(permissions).tempfile_in(directory)
}

#[cfg(not(unix))]
fn new_file(directory: &Path, _mode: u32) -> io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(directory)
}

/// The null device of Windows, for which there is no metadata.
fn is_null_device(path: &Path) -> bool {
    cfg!(windows) && path.as_os_str().eq_ignore_ascii_case("NUL")
}

/// Whether Windows takes the file's name for that of a device (Microsoft, "Naming Files, Paths, and
/// Namespaces").
fn is_device_name(path: &Path) -> bool {
    const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = ["COM", "LPT"].iter().any(|port| {
        stem.strip_prefix(port).is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
    });
    numbered || DEVICES.contains(&&*stem)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn exists(path: &Path) -> Failure {
    failed(path, "it exists; choose another name, or give --overwrite")
}

fn failed(path: &Path, why: &str) -> Failure {
    Failure::Input(format!("failed to write {}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_if_that_is_wished() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.yaml");
        assert!(refuse_existing(&path, false).is_ok());
        write(&path, "one", false).unwrap();
        let error = write(&path, "two", false).unwrap_err().to_string();
        assert!(error.contains("it exists") && error.contains("--overwrite"), "{error}");
        assert!(refuse_existing(&path, false).is_err() && refuse_existing(&path, true).is_ok());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        write(&path, "two", true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        // Nothing else is left there.
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        // A device stays one.
        write(Path::new(if cfg!(windows) { "NUL" } else { "/dev/null" }), "x", true).unwrap();
        let error = write(&directory.path().join("no/such/file"), "x", true).unwrap_err();
        assert!(error.to_string().starts_with("failed to write "), "{error}");
    }

    #[test]
    fn names_of_devices() {
        for name in ["aux", "AUX.yaml", "dir/Nul.tar.gz", "com1.json", "LPT9"] {
            assert!(is_device_name(Path::new(name)), "{name}");
        }
        for name in ["auxiliary", "com", "com0.yaml", "com10", "aux/webapp.yaml", "web.aux"] {
            assert!(!is_device_name(Path::new(name)), "{name}");
        }
    }
}
