//! The rules for `ActiveDirectoryConfig.HostAccountConfig`. No message quotes a value of it.

use serde_json::{Map, Value};

use super::super::identifier::{braced_guid, is_guid};
use super::super::path::Path;
use super::super::plugin::{Plugin, aws_input, by_guid, looks_like_password};
use super::{Found, present};
use crate::finding::Code;

const VERSION: &str = "1";

pub(super) fn check(contents: &Map<String, Value>, path: &Path<'_>, found: &mut Found) {
    const SECTIONS: [&str; 2] = ["ActiveDirectoryConfig", "HostAccountConfig"];
    let [outer, inner] = SECTIONS;
    let Some(map) =
        present(contents, outer).and_then(|section| section.get(inner)).and_then(Value::as_object)
    else {
        return;
    };
    let outer_path = Path::Key(path, outer);
    let path = Path::Key(&outer_path, inner);
    let plugin = check_guid(map, &path, found);
    check_version(map, &path, found);
    check_input(map, plugin, &path, found);
}

fn check_guid(
    map: &Map<String, Value>,
    path: &Path<'_>,
    found: &mut Found,
) -> Option<&'static Plugin> {
    let guid = found.required(map, "PluginGUID", path)?;
    if let Some(guid) = braced_guid(guid) {
        return by_guid(guid);
    }
    let message = if is_guid(guid) {
        "PluginGUID has no braces around the GUID"
    } else {
        "PluginGUID is not a GUID in braces"
    };
    found.add(Code::PluginGuidInvalid, &Path::Key(path, "PluginGUID"), message.to_owned());
    by_guid(guid)
}

fn check_version(map: &Map<String, Value>, path: &Path<'_>, found: &mut Found) {
    let message = match present(map, "PortableCcgVersion") {
        Some(Value::String(version)) if version == VERSION => return,
        Some(Value::String(_)) => format!("PortableCcgVersion is not \"{VERSION}\""),
        // Another type is reported by the check of the structure.
        Some(_) => return,
        None => format!("PortableCcgVersion is missing, it must be \"{VERSION}\""),
    };
    found.add(Code::PortableCcgVersionInvalid, &Path::Key(path, "PortableCcgVersion"), message);
}

fn check_input(
    map: &Map<String, Value>,
    plugin: Option<&Plugin>,
    path: &Path<'_>,
    found: &mut Found,
) {
    let path = Path::Key(path, "PluginInput");
    let input = match present(map, "PluginInput") {
        Some(Value::String(input)) => input.as_str(),
        None => "",
        Some(object @ Value::Object(_)) => return check_input_object(object, plugin, &path, found),
        Some(_) => return,
    };
    let fits = plugin.is_some_and(|plugin| plugin.fits(input));
    let takes_password = plugin.is_some_and(|plugin| plugin.takes_password);
    if (fits && takes_password) || (!fits && looks_like_password(input)) {
        add_password(&path, found);
    } else if let Some(plugin) = plugin
        && !fits
    {
        let trouble = if input.is_empty() { "is missing or empty" } else { "does not fit" };
        let message =
            format!("PluginInput {trouble}: the {} plug-in wants {}", plugin.name, plugin.format);
        found.add(Code::PluginInputInvalid, &path, message);
    }
}

/// An object in the place of a string, of which the check of the structure says so.
fn check_input_object(object: &Value, plugin: Option<&Plugin>, path: &Path<'_>, found: &mut Found) {
    let of_ecs = plugin.filter(|plugin| plugin.id == "aws").and_then(|_| aws_input(object));
    if let Some(input) = of_ecs {
        // Nothing but the name of a secret.
        let message =
            format!("PluginInput is written as for Amazon ECS, write PluginInput: '{input}'");
        found.add(Code::PluginInputInvalid, path, message);
    } else if looks_like_password(&object.to_string()) {
        add_password(path, found);
    }
}

fn add_password(path: &Path<'_>, found: &mut Found) {
    let message = "PluginInput seems to contain a password in plain text";
    found.add(Code::PluginInputPlaintextPassword, path, message.to_owned());
}
