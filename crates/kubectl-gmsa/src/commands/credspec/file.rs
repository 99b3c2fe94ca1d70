//! Credential specs in files: manifests, and the JSON files of Windows.

pub mod encoding;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gmsa_cluster::manifests::Document;
use gmsa_core::credspec::name::made_valid;
use gmsa_core::names::KIND;
use serde_json::Value;

use super::resource;
use crate::failure::Failure;

/// A credential spec from a file.
pub struct Found {
    /// The whole resource.
    pub object: Value,
    /// Where it stands.
    pub source: String,
    /// Whether the file holds the contents alone.
    pub bare: bool,
}

/// Reads every credential spec in files and directories; `-` is standard input. Other objects are
/// left out.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|error| failed("-", &error.to_string()))?;
            found.extend(parse("-", &bytes)?);
            continue;
        }
        for file in files(path)? {
            let shown = file.display().to_string();
            let bytes = fs::read(&file).map_err(|error| failed(&shown, &error.to_string()))?;
            found.extend(parse(&shown, &bytes)?);
        }
    }
    Ok(found)
}

/// The file itself, or what lies below a directory and may hold a credential spec, sorted.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = path.display().to_string();
    let error = |error: std::io::Error| failed(&shown, &error.to_string());
    if !fs::metadata(path).map_err(error)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(path).map_err(error)? {
        let entry = entry.map_err(error)?;
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let known = path.extension().is_some_and(|extension| {
            ["json", "yaml", "yml"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        });
        if hidden {
            continue;
        }
        if entry.file_type().map_err(error)?.is_dir() {
            found.extend(files(&path)?);
        } else if known {
            found.insert(path);
        }
    }
    Ok(found.into_iter().collect())
}

fn parse(file: &str, bytes: &[u8]) -> Result<Vec<Found>, Failure> {
    let text = encoding::decode(bytes).map_err(|error| failed(file, &error.to_string()))?;
    let mut found = Vec::new();
    if let Ok(contents) = serde_json::from_str::<Value>(&text)
        && is_bare(&contents)
    {
        let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
        let name = if file == "-" { "credspec".into() } else { made_valid(&stem) };
        let object = resource(&name, &contents);
        return Ok(vec![Found { object, source: file.to_owned(), bare: true }]);
    }
    for document in gmsa_cluster::manifests::parse(file, &text) {
        let Document { value, source } =
            document.map_err(|error| Failure::Input(error.to_string()))?;
        if value.get("kind").and_then(Value::as_str) == Some(KIND) {
            found.push(Found { object: value, source: source.to_string(), bare: false });
        }
    }
    Ok(found)
}

/// Whether this is what Windows keeps in a file: one of its keys, and no resource.
fn is_bare(value: &Value) -> bool {
    let known = ["CmsPlugins", "DomainJoinConfig", "ActiveDirectoryConfig"];
    value.get("kind").is_none() && known.iter().any(|key| value.get(key).is_some())
}

fn failed(file: &str, why: &str) -> Failure {
    Failure::Input(format!("failed to read {file}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found() {
        let bare = br#"{"CmsPlugins": ["ActiveDirectory"]}"#;
        let found = parse("dir/My_App.json", bare).unwrap();
        assert!(found[0].bare);
        assert_eq!(found[0].object["metadata"]["name"], "my-app");
        let manifest = b"kind: Role\n---\napiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata: {name: a}\n";
        let found = parse("a.yaml", manifest).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].bare, found[0].source.as_str()), (false, "a.yaml:2"));
        assert!(parse("a.json", b"[1, 2").is_err());
        let cut = parse("a.json", b"\xff\xfe{\0}").err().unwrap().to_string();
        assert!(cut.starts_with("failed to read a.json: it ends within a character"), "{cut}");
    }
}
