//! `kubectl gmsa credspec diff`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::file;
use crate::cli::credspec::Diff;
use crate::cli::shared::ClusterFlags;
use crate::commands::Failure;
use crate::commands::runtime::{self, block_on};
use crate::printer;

/// Compares two credential specs key by key. The exit code is 1 if they differ.
pub(super) fn run(args: &Diff) -> Result<u8, Failure> {
    let one = contents(&args.one, &args.cluster)?;
    let other = contents(&args.other, &args.cluster)?;
    let text = compared(&flat(&one), &flat(&other));
    if text.is_empty() {
        return Ok(0);
    }
    printer::data(&format!("--- {}\n+++ {}\n{text}", args.one, args.other))?;
    Ok(1)
}

fn contents(wanted: &str, cluster: &ClusterFlags) -> Result<Value, Failure> {
    let object = if wanted.contains(['/', '\\']) || Path::new(wanted).is_file() {
        let mut found = file::read(&[PathBuf::from(wanted)])?;
        if found.len() != 1 {
            return Err(Failure::Input(format!(
                "{wanted} holds {} credential specs instead of one",
                found.len()
            )));
        }
        found.pop().map(|found| found.object)
    } else {
        let read = async { Ok(runtime::credential_specs(cluster).await?.get(wanted).await?) };
        Some(block_on(read)?)
    };
    Ok(object
        .and_then(|mut object| object.get_mut("credspec").map(Value::take))
        .unwrap_or_default())
}

/// Every value by its path.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(value, String::new(), &mut found);
    found
}

fn walk(value: &Value, path: String, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                walk(value, format!("{path}{dot}{key}"), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                // Two digits keep the order.
                walk(item, format!("{path}[{index:02}]"), found);
            }
        }
        value => {
            found.insert(path, value.to_string());
        }
    }
}

fn compared(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut paths: Vec<&String> = one.keys().chain(other.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let values = [("-", one.get(path)), ("+", other.get(path))];
        if values[0].1 == values[1].1 {
            continue;
        }
        for (sign, value) in values {
            let Some(value) = value else { continue };
            // Some plug-ins are told a password.
            let value = if path.ends_with("PluginInput") { "(not shown)" } else { value };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{sign} {path}: {value}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences() {
        let one = json!({ "A": { "PluginInput": "secret-one", "B": 1 }, "C": ["x", "y"] });
        let other = json!({ "A": { "PluginInput": "secret-two", "B": 1 }, "C": ["x"], "D": {} });
        assert_eq!(
            compared(&flat(&one), &flat(&other)),
            "- A.PluginInput: (not shown)\n+ A.PluginInput: (not shown)\n- C[01]: \"y\"\n+ D: {}\n"
        );
        assert_eq!(compared(&flat(&one), &flat(&one)), "");
    }
}
