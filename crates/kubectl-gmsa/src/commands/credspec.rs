//! `kubectl gmsa credspec`: made, judged, shown, compared.

mod ask;
mod create;
mod diff;
mod file;
mod import;
pub mod lint;
mod list;
mod plugin;
mod put;
mod show;

use gmsa_core::credspec::lint as findings_of;
use gmsa_core::finding::{Finding, Severity};
use gmsa_core::names::{GROUP, KIND};
use serde_json::{Value, json};

use crate::cli::credspec::{Credspec, SpecOutput};
use crate::failure::Failure;
use crate::output::{printer, render};

use crate::credential_spec::name_of;

/// Runs one of the commands.
pub fn run(command: &Credspec) -> Result<u8, Failure> {
    match command {
        Credspec::Create(args) => create::run(args),
        Credspec::Import(args) => import::run(args),
        Credspec::Lint(args) => lint::run(args),
        Credspec::List(args) => list::run(args),
        Credspec::Show(args) => show::run(args),
        Credspec::Diff(args) => diff::run(args),
    }
}

/// The resource with these contents.
fn resource(name: &str, contents: &Value) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": KIND,
        "metadata": { "name": name },
        "credspec": contents,
    })
}

/// A resource in one of the formats.
fn printed(object: &Value, output: SpecOutput) -> Result<String, Failure> {
    match output {
        SpecOutput::Yaml => render::yaml("credential spec", object),
        SpecOutput::Json => render::json("credential spec", object),
        SpecOutput::Credspec => {
            render::json("credential spec", object.get("credspec").unwrap_or(&Value::Null))
        }
    }
}

/// The findings for a new resource: errors are returned, the others are printed.
fn judge(object: &Value) -> Vec<String> {
    let name = name_of(object);
    let mut errors = Vec::new();
    for Finding { code, message, .. } in findings_of(name, object) {
        let line = format!("{name}: {message} ({code}); {}", code.remedy());
        match code.severity() {
            Severity::Error => errors.push(line),
            severity => printer::note(&format!("{severity}: {line}")),
        }
    }
    errors
}
