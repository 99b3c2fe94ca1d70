//! `kubectl gmsa credspec import`

use std::collections::BTreeMap;
use std::path::Path;

use gmsa_core::credspec::name::has_usable_character;
use gmsa_core::credspec::plugin::{aws_input, by_guid};
use gmsa_core::names::KIND;
use serde_json::{Value, json};

use super::file::{self, Found};
use super::put::{Made, put};
use super::{judge, resource};
use crate::cli::credspec::Import;
use crate::credential_spec::name_of;
use crate::failure::Failure;
use crate::output::printer;

/// The version of credential specs that is not deprecated.
const V1: &str = "windows.k8s.io/v1";

/// Makes resources from files. With errors nothing is applied.
pub fn run(args: &Import) -> Result<u8, Failure> {
    args.to.refuse_unused()?;
    let found = file::read_some(&args.paths)?;
    if args.name.is_some() && found.len() > 1 {
        return Err(Failure::Input(format!(
            "--name is for one credential spec, and there are {}",
            found.len()
        )));
    }
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let mut objects = Vec::new();
    let mut errors = Vec::new();
    for one in found {
        let Found { object, source, bare } = &one;
        let mut object = renamed(&one, args.name.as_deref()).unwrap_or_else(|| object.clone());
        for change in converted(&mut object) {
            printer::note(&format!("{source}: {change}"));
        }
        let name = name_of(&object).to_owned();
        let stem = Path::new(source).file_stem().unwrap_or_default().to_string_lossy();
        let is_made = *bare && args.name.is_none() && source != "-" && stem != name;
        if is_made && !has_usable_character(&stem) {
            return Err(Failure::Input(format!(
                "failed to name the credential spec of {source}: nothing of the file's name can be in a name \
                 in Kubernetes; give it --name"
            )));
        }
        let name_from = is_made.then(|| source.clone());
        if *bare && args.name.is_none() && stem != name {
            printer::note(&format!("{source}: the credential spec is called {name}"));
        }
        if let Some(first) = sources.insert(name.clone(), source.clone()) {
            return Err(Failure::Input(format!(
                "{first} and {source} would both be called {name}: give them --name, one by one"
            )));
        }
        errors.extend(judge(&object));
        objects.push(Made { spec: object, rights: Vec::new(), name_from });
    }
    if errors.is_empty() {
        put(&objects, &args.to)?;
        return Ok(0);
    }
    for error in &errors {
        printer::error(error);
    }
    if args.to.apply.apply {
        return Err(Failure::Input("nothing was applied".to_owned()));
    }
    put(&objects, &args.to)?;
    Ok(1)
}

/// Writes as a cluster of today takes it what was written for another system or an older one, and
/// says what was changed.
fn converted(object: &mut Value) -> Vec<String> {
    let mut changes = Vec::new();
    let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if ![V1, "windows.k8s.io/v1alpha1"].contains(&version) {
        changes.push(format!("apiVersion {version} is written as {V1}"));
        object["apiVersion"] = json!(V1);
    }
    if object.get("kind").and_then(Value::as_str) != Some(KIND) {
        changes.push(format!("kind is written as {KIND}"));
        object["kind"] = json!(KIND);
    }
    let host = object.pointer_mut("/credspec/ActiveDirectoryConfig/HostAccountConfig");
    let Some(Value::Object(host)) = host else { return changes };
    let guid = host.get("PluginGUID").and_then(Value::as_str).unwrap_or_default();
    let is_aws = by_guid(guid.trim_matches(['{', '}'])).is_some_and(|plugin| plugin.id == "aws");
    if is_aws && let Some(input) = host.get("PluginInput").and_then(aws_input) {
        // The name of a secret, which is no secret.
        changes.push(format!(
            "PluginInput is an object, as on Amazon ECS; on Kubernetes it is a string: '{input}'"
        ));
        host.insert("PluginInput".to_owned(), json!(input));
    }
    changes
}

/// The resource under another name; what a cluster added to it is left behind.
fn renamed(found: &Found, name: Option<&str>) -> Option<Value> {
    let name = name?;
    let contents = found.object.get("credspec").cloned().unwrap_or_else(|| json!({}));
    Some(resource(name, &contents))
}
