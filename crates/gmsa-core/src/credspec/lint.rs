//! What is questionable about a credential spec.
//!
//! The rules work on plain JSON, so that files are judged that the API server would refuse or prune.
//! Messages quote names, SIDs and GUIDs of the domain, but nothing of `HostAccountConfig`: people
//! put passwords there, sometimes into the wrong key.

mod accounts;
mod domain;
mod host;
mod structure;

use serde_json::{Map, Value};

use super::name::{is_valid_name, made_valid, unquoted};
use super::path::{Path, quoted};
use crate::finding::{Code, Finding};

/// Judges a whole `GMSACredentialSpec` resource called `name`.
#[must_use]
pub fn lint(name: &str, object: &Value) -> Vec<Finding> {
    let mut found = Found::default();
    let root = Path::Root;
    let given = object.pointer("/metadata/name").and_then(unquoted);
    if let Some(why) = given {
        let path = Path::Key(&root, "metadata");
        found.add(Code::CredspecNameInvalid, &Path::Key(&path, "name"), format!("the name: {why}"));
    } else if !is_valid_name(name) {
        found.add(
            Code::CredspecNameInvalid,
            &Path::Key(&Path::Key(&root, "metadata"), "name"),
            format!(
                "{} is not a valid name for a credential spec, write {}",
                quoted(name),
                quoted(&made_valid(name))
            ),
        );
    }
    structure::check_version(object, &mut found);
    structure::check_resource(object, &mut found);
    let path = Path::Key(&root, "credspec");
    match object.get("credspec") {
        Some(contents) if !is_empty(contents) => check_contents(contents, &path, &mut found),
        Some(Value::Object(_)) => {
            found.add(Code::CredspecMissing, &path, "credspec is empty".to_owned());
        }
        _ => found.add(Code::CredspecMissing, &path, "there is no credspec".to_owned()),
    }
    structure::check_deprecation(object, &mut found);
    found.findings
}

/// Judges bare contents: the value of `credspec`, or a credential spec file of Windows.
#[must_use]
pub fn lint_contents(contents: &Value) -> Vec<Finding> {
    let mut found = Found::default();
    if is_empty(contents) {
        found.add(Code::CredspecMissing, &Path::Root, "there are no contents".to_owned());
    } else {
        check_contents(contents, &Path::Root, &mut found);
    }
    found.findings
}

fn is_empty(contents: &Value) -> bool {
    contents.is_null() || contents.as_object().is_some_and(Map::is_empty)
}

fn check_contents(contents: &Value, path: &Path<'_>, found: &mut Found) {
    structure::check_contents(contents, path, found);
    let Some(contents) = contents.as_object() else {
        return;
    };
    check_cms_plugins(contents, path, found);
    let domain = domain::check(contents, path, found);
    accounts::check(contents, &domain, path, found);
    host::check(contents, path, found);
}

fn check_cms_plugins(contents: &Map<String, Value>, path: &Path<'_>, found: &mut Found) {
    const PLUGIN: &str = "ActiveDirectory";
    let plugins = match present(contents, "CmsPlugins") {
        None => &[][..],
        Some(Value::Array(plugins)) => plugins,
        Some(_) => return,
    };
    if !plugins.iter().any(|plugin| plugin == PLUGIN) {
        found.add(
            Code::CmsPluginsIncomplete,
            &Path::Key(path, "CmsPlugins"),
            format!("CmsPlugins does not contain {PLUGIN}"),
        );
    }
}

/// The findings so far.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
}

impl Found {
    fn add(&mut self, code: Code, path: &Path<'_>, message: String) {
        let path = path.to_string();
        self.findings.push(Finding { code, message, path: (!path.is_empty()).then_some(path) });
    }

    /// Gives the value of a key that must be there, if it is a string; another type is reported by
    /// the check of the structure.
    fn required<'a>(
        &mut self,
        map: &'a Map<String, Value>,
        key: &str,
        path: &Path<'_>,
    ) -> Option<&'a str> {
        let value = present(map, key);
        if value.is_none() {
            self.add(Code::KeyMissing, &Path::Key(path, key), format!("{key} is missing"));
        }
        value?.as_str()
    }
}

/// The value of a key unless it is `null`, which is the same as its absence.
fn present<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// The string at a key, `None` if there is none or another type.
fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
