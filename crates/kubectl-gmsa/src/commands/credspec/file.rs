//! Credential specs in files: manifests, and the JSON files of Windows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gmsa_cluster::manifests::{Document, Text, texts};
use gmsa_core::credspec::name::made_valid;
use gmsa_core::names::KIND;
use serde_json::Value;

use super::resource;
use crate::failure::Failure;

/// A credential spec from a file.
pub struct Found {
    /// The whole resource.
    pub object: Value,
    /// Its position.
    pub source: String,
    /// Whether the file contains only the contents.
    pub bare: bool,
}

/// Reads every credential spec in files and directories; `-` is standard input. Other objects are
/// left out.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        for Text { name, text } in texts(&path.as_path().into())? {
            found.extend(parse(&name, &text)?);
        }
    }
    Ok(found)
}

/// The same; an error if there is none: a command before it that failed leaves an empty file or pipe.
pub fn read_some(paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let found = read(paths)?;
    if found.is_empty() {
        return Err(Failure::Input("failed to find a credential spec in the files".to_owned()));
    }
    Ok(found)
}

fn parse(file: &str, text: &str) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    let documents = gmsa_cluster::manifests::parse(file, text);
    // As strict as the reader of manifests: one that names a key twice is an error.
    if serde_json::from_str::<Value>(text).is_ok_and(|contents| is_bare(&contents))
        && let [document] = &documents[..]
    {
        let document = document.as_ref().map_err(|error| Failure::Input(error.to_string()))?;
        let contents = &*document.value;
        let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
        let name = if file == "-" { "credspec".into() } else { made_valid(&stem) };
        let object = resource(&name, contents);
        return Ok(vec![Found { object, source: file.to_owned(), bare: true }]);
    }
    for document in documents {
        let Document { value, source } =
            document.map_err(|error| Failure::Input(error.to_string()))?;
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        // Another spelling, or another group, is found by lint and corrected by import.
        if kind.eq_ignore_ascii_case(KIND) {
            let object = Arc::unwrap_or_clone(value);
            found.push(Found { object, source: source.to_string(), bare: false });
        }
    }
    Ok(found)
}

/// Whether this is a credential spec file of Windows: it has one of its keys, and is not a resource.
fn is_bare(value: &Value) -> bool {
    let known = ["CmsPlugins", "DomainJoinConfig", "ActiveDirectoryConfig"];
    value.get("kind").is_none() && known.iter().any(|key| value.get(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found() {
        let bare = r#"{"CmsPlugins": ["ActiveDirectory"]}"#;
        let found = parse("dir/My_App.json", bare).unwrap();
        assert!(found[0].bare);
        assert_eq!(found[0].object["metadata"]["name"], "my-app");
        for twice in [
            r#"{"CmsPlugins": ["ActiveDirectory"], "CmsPlugins": []}"#,
            r#"{"CmsPlugins": [], "DomainJoinConfig": {"Sid": "a", "Sid": "b"}}"#,
        ] {
            let why = parse("a.json", twice).err().unwrap().to_string();
            assert!(why.contains("a.json:1") && why.contains("is there twice"), "{why}");
        }
        let manifest = "kind: Role\n---\napiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata: {name: a}\n";
        let found = parse("a.yaml", manifest).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].bare, found[0].source.as_str()), (false, "a.yaml:2"));
        assert!(parse("a.json", "[1, 2").is_err());
    }
}
