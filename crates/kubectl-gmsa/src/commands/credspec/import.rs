//! `kubectl gmsa credspec import`

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::file::{self, Found};
use super::put::{Made, put};
use super::{judge, resource};
use crate::cli::credspec::Import;
use crate::credential_spec::name_of;
use crate::failure::Failure;
use crate::output::printer;

/// Makes resources from files. With errors nothing is applied.
pub fn run(args: &Import) -> Result<u8, Failure> {
    let found = file::read(&args.paths)?;
    if found.is_empty() {
        return Err(Failure::Input("failed to find a credential spec in the files".to_owned()));
    }
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
        let object = renamed(&one, args.name.as_deref()).unwrap_or_else(|| object.clone());
        let name = name_of(&object).to_owned();
        let stem = Path::new(source).file_stem().unwrap_or_default();
        if *bare && args.name.is_none() && stem != name.as_str() {
            printer::note(&format!("{source}: the credential spec is called {name}"));
        }
        if let Some(first) = sources.insert(name.clone(), source.clone()) {
            return Err(Failure::Input(format!(
                "{first} and {source} would both be called {name}: give them --name, one by one"
            )));
        }
        errors.extend(judge(&object));
        objects.push(Made { spec: object, rights: Vec::new() });
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

/// The resource under another name; what a cluster added to it is left behind.
fn renamed(found: &Found, name: Option<&str>) -> Option<Value> {
    let name = name?;
    let contents = found.object.get("credspec").cloned().unwrap_or_else(|| json!({}));
    Some(resource(name, &contents))
}
