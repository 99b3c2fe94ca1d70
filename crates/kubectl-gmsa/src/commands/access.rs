//! `kubectl gmsa access`: who may use which credential spec, through which roles, and who uses it.

mod table;

use crate::access_map::report::Report;
use crate::access_map::{graph, look};
use crate::cli::{Access, AccessOutput};
use crate::connect::Connection;
use crate::credential_spec;
use crate::failure::Failure;
use crate::output::{printer, render};

/// Prints the map.
pub fn run(args: &Access) -> Result<u8, Failure> {
    let connection = Connection::open(&args.connect)?;
    connection.expect_namespace(args.namespace.as_deref())?;
    let objects = connection.objects(false);
    let looking = look(&connection.client, &objects, args);
    let report = connection.runtime.block_on(looking)?;
    warn(&report);
    if let Some(name) = &args.credential_spec
        && !report.credential_specs.iter().any(|spec| spec.name == *name && spec.exists)
    {
        let meant = connection.runtime.block_on(credential_spec::meant(&objects, name));
        printer::warning(&format!("the credential spec {name} does not exist{meant}"));
    }
    let text = match args.output {
        AccessOutput::Table | AccessOutput::Wide => {
            let is_wide = args.output == AccessOutput::Wide;
            table::render(
                &report,
                &nobody(args, !report.unread.is_empty()),
                is_wide,
                printer::colour(),
            )
        }
        AccessOutput::Json => render::json("report", &report)?,
        AccessOutput::Yaml => render::yaml("report", &report)?,
        AccessOutput::Dot => graph::dot(&report),
        AccessOutput::Mermaid => graph::mermaid(&report),
    };
    printer::data(&text)?;
    Ok(u8::from(report.found_something(args)))
}

/// What to say of a credential spec that no service account of the report may use or uses. It says no more
/// than what was asked about, and than what could be read.
fn nobody(args: &Access, is_incomplete: bool) -> String {
    let read = if is_incomplete { " that could be read" } else { "" };
    match (&args.service_account, &args.namespace) {
        (Some(account), _) => format!(
            "service account {}/{} may not use it, and nothing{read} that runs as it does",
            account.namespace, account.name
        ),
        (None, Some(namespace)) => format!(
            "no service account of namespace {namespace} may use it, and nothing{read} there does"
        ),
        (None, None) => format!("no service account may use it, and nothing{read} does"),
    }
}

/// Prints warnings about missing and contradictory facts.
fn warn(report: &Report) {
    for unread in &report.unread {
        printer::warning(unread);
    }
    for entry in report.access.iter().filter(|entry| entry.differs()) {
        printer::warning(&format!(
            "the roles and bindings say {} for service account {} and {}, but the API server says \
             {}: another authorizer decides too, or the roles have just changed",
            entry.rbac,
            entry.account(),
            entry.credential_spec,
            entry.verdict
        ));
    }
}
