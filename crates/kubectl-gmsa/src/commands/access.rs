//! `kubectl gmsa access`: who may use which credential spec, through which roles, and who uses it.

mod table;

use crate::access_map::report::Report;
use crate::access_map::{graph, look};
use crate::cli::{Access, AccessOutput};
use crate::connect::Connection;
use crate::failure::Failure;
use crate::output::{printer, render};

/// Prints the map.
pub fn run(args: &Access) -> Result<u8, Failure> {
    let connection = Connection::open(&args.connect)?;
    connection.expect_namespace(args.namespace.as_deref())?;
    let objects = connection.objects(false);
    let looking = look(&connection.client, &objects, args);
    let report = connection.runtime.block_on(looking)?;
    warn(&report, args);
    let text = match args.output {
        AccessOutput::Table | AccessOutput::Wide => {
            table::render(&report, args.output == AccessOutput::Wide, printer::colour())
        }
        AccessOutput::Json => render::json("report", &report)?,
        AccessOutput::Yaml => render::yaml("report", &report)?,
        AccessOutput::Dot => graph::dot(&report),
        AccessOutput::Mermaid => graph::mermaid(&report),
    };
    printer::data(&text)?;
    Ok(u8::from(report.found_something(args)))
}

/// Prints warnings about missing and contradictory facts.
fn warn(report: &Report, args: &Access) {
    for unread in &report.unread {
        printer::warning(&format!("{unread}; who uses what is not complete"));
    }
    if let Some(name) = &args.credential_spec
        && !report.credential_specs.iter().any(|spec| spec.name == *name && spec.exists)
    {
        printer::warning(&format!("the credential spec {name} does not exist"));
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
