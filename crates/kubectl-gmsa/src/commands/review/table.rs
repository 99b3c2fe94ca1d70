//! The report for people.

use gmsa_core::printable::counted;
use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, Color};

use super::renames::{Rename, RenamePlace};
use super::report::{Report, WorkloadReport};
use crate::output::render;

/// Renders the table, the reasons and what to do.
pub fn render(report: &Report, wide: bool, colour: bool) -> String {
    let mut text = String::new();
    for rename in &report.renames {
        first(&mut text, rename);
    }
    let listed: Vec<&WorkloadReport> =
        report.workloads.iter().filter(|workload| wide || workload.is_shown()).collect();
    if !listed.is_empty() {
        text.push_str(&table(&listed, colour));
    }
    for workload in &listed {
        details(&mut text, workload);
    }
    if !report.findings.is_empty() {
        text.push('\n');
    }
    for finding in &report.findings {
        let place = match (&finding.file, finding.line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            _ => String::new(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}{place}", finding.object);
        finding.finding.describe(&mut text, false);
    }
    let summary = &report.summary;
    let _ = writeln!(
        text,
        "{}{}, {} with a GMSA: {} admitted, {} denied",
        if text.is_empty() { "" } else { "\n" },
        counted(summary.workloads, "workload"),
        summary.using_gmsa,
        summary.admitted,
        summary.denied
    );
    text
}

fn first(text: &mut String, rename: &Rename) {
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "First write \"{}\" instead of {}, which no credential spec can be called:",
        rename.name,
        rename.others()
    );
    for RenamePlace { object, field, file, line } in &rename.places {
        let at = match (file, line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            _ => String::new(),
        };
        let _ = writeln!(text, "  {object}{at}\n    {field}");
    }
    text.push('\n');
}

fn table(workloads: &[&WorkloadReport], colour: bool) -> String {
    let mut rows = Vec::new();
    for workload in workloads {
        if workload.places.is_empty() {
            rows.push(vec![
                Cell::new(workload.label()),
                Cell::new("-"),
                Cell::new("-"),
                Cell::new("-"),
                Cell::new(&workload.service_account),
                Cell::new(workload.verdict),
            ]);
        }
        for place in &workload.places {
            let verdict = Cell::new(place.verdict);
            let verdict = match (colour, place.verdict) {
                (false, _) => verdict,
                (true, "denied") => verdict.fg(Color::Red).add_attribute(Attribute::Bold),
                (true, _) => verdict.fg(Color::Green),
            };
            rows.push(vec![
                Cell::new(workload.label()),
                Cell::new(place.label()),
                Cell::new(place.containers.join(", ")),
                Cell::new(place.credential_spec.as_deref().unwrap_or("-")),
                Cell::new(&workload.service_account),
                verdict,
            ]);
        }
    }
    let header = ["WORKLOAD", "PLACE", "CONTAINERS", "CREDENTIAL SPEC", "ACCOUNT", "VERDICT"];
    render::coloured_table(&header, rows, colour)
}

fn details(text: &mut String, workload: &WorkloadReport) {
    let denials: Vec<_> = workload.denials().collect();
    if denials.is_empty() && workload.findings.is_empty() && workload.differences.is_empty() {
        return;
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{} ({}:{})", workload.label(), workload.file, workload.line);
    for denial in denials {
        let _ = writeln!(text, "  denied   {} ({})", denial.reason, denial.code);
        let _ = writeln!(text, "           {}", denial.message);
        let _ = writeln!(text, "           -> {}", denial.hint);
        for near in &denial.near_misses {
            let _ = writeln!(text, "           close: {near}");
        }
    }
    for finding in &workload.findings {
        finding.describe(text, false);
    }
    for difference in &workload.differences {
        let _ = writeln!(text, "  policies {}", difference.id);
        let _ = writeln!(text, "           {}", difference.message);
    }
}
