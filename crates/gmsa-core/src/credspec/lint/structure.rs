//! Types and keys: what the schema of the custom resource knows.

use serde_json::{Map, Value};

use super::super::name::closest;
use super::super::path::{Path, quoted, shown_key};
use super::{Found, present};
use crate::finding::Code;
use crate::names::KIND;

/// The version of credential specs that is not deprecated.
const V1: &str = "windows.k8s.io/v1";
const DEPRECATED: &str = "windows.k8s.io/v1alpha1";

/// What a value must be.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Array(&'static Shape),
    Object(&'static [(&'static str, Shape)]),
}

impl Shape {
    const fn label(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

const RESOURCE_KEYS: [&str; 4] = ["apiVersion", "kind", "metadata", "credspec"];

const CONTENTS: Shape = Shape::Object(&[
    (
        "ActiveDirectoryConfig",
        Shape::Object(&[
            (
                "GroupManagedServiceAccounts",
                Shape::Array(&Shape::Object(&[("Name", Shape::Text), ("Scope", Shape::Text)])),
            ),
            (
                "HostAccountConfig",
                Shape::Object(&[
                    ("PluginGUID", Shape::Text),
                    ("PluginInput", Shape::Text),
                    ("PortableCcgVersion", Shape::Text),
                ]),
            ),
        ]),
    ),
    ("CmsPlugins", Shape::Array(&Shape::Text)),
    (
        "DomainJoinConfig",
        Shape::Object(&[
            ("DnsName", Shape::Text),
            ("DnsTreeName", Shape::Text),
            ("Guid", Shape::Text),
            ("MachineAccountName", Shape::Text),
            ("NetBiosName", Shape::Text),
            ("Sid", Shape::Text),
        ]),
    ),
]);

/// Reports keys of the resource that the schema does not know.
pub(super) fn check_resource(object: &Value, found: &mut Found) {
    let Some(map) = object.as_object() else {
        return;
    };
    for key in sorted_keys(map) {
        if !RESOURCE_KEYS.contains(&key) {
            report_key(key, &RESOURCE_KEYS, &Path::Root, found);
        }
    }
}

/// Reports an API group, version or kind that no cluster has.
pub(super) fn check_version(object: &Value, found: &mut Found) {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    if let Some(version) = text("apiVersion")
        && ![V1, DEPRECATED].contains(&version)
    {
        let message = format!("apiVersion {} is not one of a {KIND}: write {V1}", quoted(version));
        found.add(Code::ApiVersionWrong, &Path::Key(&Path::Root, "apiVersion"), message);
    }
    if let Some(kind) = text("kind")
        && kind != KIND
    {
        let message =
            format!("kind {} is not that of a credential spec: write {KIND}", quoted(kind));
        found.add(Code::ApiVersionWrong, &Path::Key(&Path::Root, "kind"), message);
    }
}

/// Reports a version that a later definition may not serve.
pub(super) fn check_deprecation(object: &Value, found: &mut Found) {
    if object.get("apiVersion").is_some_and(|version| version == DEPRECATED) {
        let message = "the version v1alpha1 is deprecated".to_owned();
        found.add(Code::VersionDeprecated, &Path::Key(&Path::Root, "apiVersion"), message);
    }
}

/// Reports wrong types and unknown keys in the contents.
pub(super) fn check_contents(contents: &Value, path: &Path<'_>, found: &mut Found) {
    check(contents, CONTENTS, path, found);
}

fn check(value: &Value, shape: Shape, path: &Path<'_>, found: &mut Found) {
    match (shape, value) {
        (Shape::Text, Value::String(_)) => {}
        (Shape::Array(shape), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                check(item, *shape, &Path::Item(path, index), found);
            }
        }
        (Shape::Object(entries), Value::Object(map)) => {
            let known: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
            for (key, shape) in entries {
                if let Some(value) = present(map, key) {
                    check(value, *shape, &Path::Key(path, key), found);
                }
            }
            for key in sorted_keys(map).filter(|key| !known.contains(key)) {
                report_key(key, &known, path, found);
            }
        }
        _ => {
            let subject = match path {
                Path::Root => "the value".to_owned(),
                path => path.to_string(),
            };
            found.add(
                Code::ValueTypeWrong,
                path,
                format!("{subject} must be {}, not {}", shape.label(), type_label(value)),
            );
        }
    }
}

/// The keys in an order that does not depend on the map.
fn sorted_keys(map: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let mut keys: Vec<&str> = map.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys.into_iter()
}

fn report_key(key: &str, known: &[&str], parent: &Path<'_>, found: &mut Found) {
    let path = Path::Key(parent, key);
    let shown = shown_key(key);
    if let Some(meant) = closest(key, known.iter().copied()) {
        let message = format!("{shown} is not a key here, did you mean {meant}?");
        found.add(Code::UnknownKey, &path, message);
    } else if key.eq_ignore_ascii_case("HostAccountConfig") {
        let message = format!("{shown} must be in ActiveDirectoryConfig");
        found.add(Code::HostAccountConfigMisplaced, &path, message);
    } else if let Some(home) = home_of(key, CONTENTS, "credspec") {
        let message = format!("{shown} is not a key here, it belongs in {home}");
        found.add(Code::UnknownKey, &path, message);
    } else {
        let message = format!("{shown} is not a key here, known are {}", known.join(", "));
        found.add(Code::UnknownKey, &path, message);
    }
}

/// The object that has the key.
fn home_of(key: &str, shape: Shape, name: &'static str) -> Option<&'static str> {
    match shape {
        Shape::Text => None,
        Shape::Array(shape) => home_of(key, *shape, name),
        Shape::Object(entries) => {
            if entries.iter().any(|(known, _)| *known == key) {
                return Some(name);
            }
            entries.iter().find_map(|(name, shape)| home_of(key, *shape, name))
        }
    }
}

const fn type_label(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::credspec::CredentialSpec;

    /// A value with every key of a shape.
    fn full(shape: Shape) -> Value {
        match shape {
            Shape::Text => json!("text"),
            Shape::Array(shape) => json!([full(*shape)]),
            Shape::Object(entries) => {
                entries.iter().map(|(key, shape)| ((*key).to_owned(), full(*shape))).collect()
            }
        }
    }

    #[test]
    fn the_shape_and_the_types_have_the_same_keys() {
        let value = full(CONTENTS);
        let spec: CredentialSpec = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&spec).unwrap(), value);
        // Destructured, so that a key added to the types fails to compile until it is here.
        let CredentialSpec { active_directory_config, cms_plugins, domain_join_config } = spec;
        assert!(active_directory_config.is_some() && cms_plugins.is_some());
        let crate::credspec::DomainJoinConfig {
            dns_name,
            dns_tree_name,
            guid,
            machine_account_name,
            net_bios_name,
            sid,
        } = domain_join_config.unwrap();
        for field in [dns_name, dns_tree_name, guid, machine_account_name, net_bios_name, sid] {
            assert_eq!(field.as_deref(), Some("text"));
        }
    }
}
