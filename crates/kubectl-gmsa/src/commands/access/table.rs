//! The report for people.

use std::collections::BTreeMap;

use gmsa_core::grant::Grant;
use gmsa_core::printable::counted;

use crate::access_map::report::{Entry, Report, SpecReport, Way};

const RED: &str = "\u{1b}[1;31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

/// Renders who may use each credential spec, through which roles, and who uses it. Service accounts that have
/// a right by a group alone and do not use it are counted, unless all are wanted. `nobody` is what to
/// say of a credential spec that nothing of the report may use or uses.
pub fn render(report: &Report, nobody: &str, wide: bool, colour: bool) -> String {
    let mut text = String::new();
    let mut entries: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &report.access {
        entries.entry(&entry.credential_spec).or_default().push(entry);
    }
    for spec in &report.credential_specs {
        let own = entries.remove(spec.name.as_str()).unwrap_or_default();
        one_spec(&mut text, spec, &own, (wide, colour), nobody);
    }
    let summary = &report.summary;
    text.push_str(&format!(
        "{}; {} of service accounts, {} of them unused; {} missing\n",
        counted(report.credential_specs.len(), "credential spec"),
        counted(summary.allowed, "right"),
        summary.unused,
        summary.missing
    ));
    if !report.verified {
        text.push_str("by the roles and bindings alone; the API server was not asked\n");
    }
    text
}

fn one_spec(
    text: &mut String,
    spec: &SpecReport,
    entries: &[&Entry],
    (wide, colour): (bool, bool),
    nobody: &str,
) {
    text.push_str(&spec.name);
    text.push_str(if spec.exists { "\n" } else { " (does not exist)\n" });
    let (many, listed): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| !wide && entry.is_one_of_many());
    let width = listed.iter().map(|entry| entry.account().len()).max().unwrap_or_default();
    for entry in &listed {
        text.push_str(&format!("  {:width$}  {}", entry.account(), verdict(entry, colour)));
        match entry.state {
            "unused" => text.push_str(", unused"),
            "none" => {}
            _ => {
                let by: Vec<String> =
                    entry.used_by.iter().map(|by| format!("{} {}", by.kind, by.name)).collect();
                text.push_str(&format!(", used by {}", by.join(", ")));
            }
        }
        if !entry.service_account_exists {
            text.push_str(" (the service account does not exist)");
        }
        text.push('\n');
        ways(text, &entry.ways);
        if entry.is_of_the_api_server_alone() {
            text.push_str("    by the API server; you may not list the roles and bindings\n");
        }
        if entry.differs() {
            text.push_str(&format!(
                "    by the API server; by the roles and bindings it is {}\n",
                entry.rbac
            ));
        }
        if entry.verdict == "denied"
            && entry.is_not_known_to_be_given()
            && let Some(grant) = Grant::of(&spec.name, &entry.namespace, &entry.service_account)
        {
            text.push_str(&format!("    -> {}\n", grant.with_plugin()));
        }
    }
    let mut groups: BTreeMap<&[Way], usize> = BTreeMap::new();
    for entry in &many {
        *groups.entry(&entry.ways).or_default() += 1;
    }
    for (by, count) in groups {
        let accounts = counted(count, "service account");
        text.push_str(&format!("  {accounts} by group, unused (-o wide lists them)\n"));
        ways(text, by);
    }
    if entries.is_empty() {
        text.push_str(&format!("  {nobody}\n"));
    }
    text.push('\n');
}

fn ways(text: &mut String, ways: &[Way]) {
    for way in ways {
        text.push_str(&format!("    {} -> {}, {}", way.binding, way.role, way.subject));
        if !way.aggregated_from.is_empty() {
            text.push_str(&format!(", aggregated from {}", way.aggregated_from.join(", ")));
        }
        text.push_str(if way.wildcard { ", by a wildcard\n" } else { "\n" });
    }
}

fn verdict(entry: &Entry, colour: bool) -> String {
    let paint = match entry.state {
        _ if !colour => return entry.verdict.to_owned(),
        "used" => GREEN,
        "unused" => YELLOW,
        _ => RED,
    };
    format!("{paint}{}{PLAIN}", entry.verdict)
}
