//! The access map: a table that reads from the credential spec over role and binding and service
//! account to the workload. Rights that differ in names alone share a row, and credential specs with
//! the same rows share them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::html::{Text, all, badge};
use crate::access_map::report::{Entry, SpecReport, Way};

/// How many names a box lists before it folds them behind their number.
const SHOWN: usize = 4;
/// The most names in a folded list.
const LISTED: usize = 1000;
/// The most rows of a credential spec; denials come first.
const ROWS: usize = 12;

/// Service accounts that have a credential spec's right in the same way and the same state.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Row<'a> {
    state: Reverse<State>,
    roles: BTreeSet<&'a str>,
    bindings: BTreeSet<&'a str>,
    groups: BTreeSet<&'a str>,
    wildcard: bool,
    /// The API server's answer differs from the roles and bindings.
    differs: bool,
    accounts: BTreeSet<String>,
    workloads: BTreeSet<String>,
}

/// The state of a right, from harmless to wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Neither allowed nor used.
    #[default]
    None,
    /// Allowed by a group that many service accounts are in.
    ManyUnused,
    Unused,
    Used,
    Missing,
}

/// What the rights in one row have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Alike<'a> {
    state: Reverse<State>,
    differs: bool,
    ways: BTreeSet<[&'a str; 4]>,
}

/// What credential specs have in common that share their rows.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Panel<'a> {
    denied: Reverse<bool>,
    rows: Vec<Row<'a>>,
    exists: bool,
}

/// Draws the map of these credential specs.
pub(super) fn draw(specs: &[SpecReport], entries: &[Entry]) -> String {
    if specs.is_empty() {
        return "<p>The cluster has no credential specs, and nothing uses one.</p>\n".to_owned();
    }
    // What is denied comes first, then the order of the report.
    let mut panels: BTreeMap<Panel<'_>, Vec<&str>> = BTreeMap::new();
    for spec in specs {
        let rows = rows(entries.iter().filter(|entry| entry.credential_spec == spec.name));
        let worst = rows.iter().map(|row| row.state.0).max().unwrap_or_default();
        let denied = Reverse(worst == State::Missing);
        let panel = Panel { denied, rows, exists: spec.exists };
        panels.entry(panel).or_default().push(&spec.name);
    }
    let mut panels: Vec<_> = panels.into_iter().collect();
    panels.sort_by(|(one, names), (other, others)| {
        one.denied.cmp(&other.denied).then_with(|| names.cmp(others))
    });
    let bodies = all(panels.iter().map(|(panel, names)| body(names, panel)));
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"map-table\">\n\
         <table class=\"map\">\n<caption id=\"map-table\">Read from left to right: the role and \
         binding that give the right to a credential spec, the service accounts that have it, and \
         the workloads that use it. Rights that differ in names alone share a row. The next section \
         lists each by itself.</caption>\n\
         <thead><tr><th scope=\"col\">Credential spec</th><th scope=\"col\">Role and binding</th>\
         <th scope=\"col\">Service accounts</th><th scope=\"col\">Workloads</th></tr></thead>\n\
         {bodies}</table>\n</div>\n"
    )
}

fn state(entry: &Entry) -> State {
    match entry.state {
        "missing" => State::Missing,
        "used" => State::Used,
        "unused" if entry.is_one_of_many() => State::ManyUnused,
        "unused" => State::Unused,
        _ => State::None,
    }
}

/// Groups the rights to one credential spec.
fn rows<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Row<'a>> {
    let mut rows: BTreeMap<Alike<'a>, Row<'a>> = BTreeMap::new();
    for entry in entries {
        let state = Reverse(state(entry));
        let differs = entry.differs();
        let alike = Alike { state, differs, ways: entry.ways.iter().map(alike).collect() };
        let row = rows.entry(alike).or_default();
        row.state = state;
        row.differs = differs;
        for way in &entry.ways {
            row.roles.insert(&way.role);
            row.bindings.insert(&way.binding);
            row.wildcard |= way.wildcard;
            row.groups.extend(way.subject.strip_prefix("Group "));
        }
        let absent = if entry.service_account_exists { "" } else { " (does not exist)" };
        row.accounts.insert(format!("{}{absent}", entry.account()));
        let used_by = entry.used_by.iter();
        row.workloads
            .extend(used_by.map(|by| format!("{} {}/{}", by.kind, entry.namespace, by.name)));
    }
    rows.into_values().collect()
}

/// A way without the names in which it may differ from others of its row.
fn alike(way: &Way) -> [&str; 4] {
    let role = match way.role.split_once('/') {
        Some((_, name)) => name,
        None => &way.role,
    };
    let binding = way.binding.split_once(' ').map_or("", |(kind, _)| kind);
    let group = way.subject.strip_prefix("Group ").unwrap_or_default();
    [role, binding, group, if way.wildcard { "wildcard" } else { "" }]
}

/// The rows of credential specs that have the same ones.
fn body(names: &[&str], panel: &Panel<'_>) -> String {
    let Panel { rows, exists, .. } = panel;
    let spec = folded(names.iter().copied(), "credential specs");
    let absent = if *exists { String::new() } else { badge("error", "does not exist") };
    let more = rows.len().saturating_sub(ROWS);
    let lines = rows.len().min(ROWS) + usize::from(more > 0 || rows.is_empty());
    let mut html = format!(
        "<tbody>\n<tr><th class=\"spec\" scope=\"rowgroup\" rowspan=\"{lines}\">{spec}{absent}</th>"
    );
    let mut cells: Vec<String> = rows.iter().take(ROWS).map(row).collect();
    if rows.is_empty() {
        cells.push(
            "<td class=\"none\" colspan=\"3\">No role gives the right to it, and no workload uses \
             it.</td>"
                .to_owned(),
        );
    } else if more > 0 {
        cells.push(format!(
            "<td class=\"none\" colspan=\"3\">{more} more rows: see the next section.</td>"
        ));
    }
    html.push_str(&cells.join("</tr>\n<tr>"));
    html.push_str("</tr>\n</tbody>\n");
    html
}

fn row(row: &Row<'_>) -> String {
    let Row { state: Reverse(state), roles, bindings, groups, wildcard, .. } = row;
    let (class, word) = match state {
        State::Missing => ("error", "used, but denied"),
        State::Used => ("ok", "allowed, used"),
        State::Unused | State::ManyUnused => ("warning", "allowed, unused"),
        State::None => ("", "denied, not used"),
    };
    let mut given = if roles.is_empty() {
        "No role gives the right.".to_owned()
    } else {
        let mut given = folded(roles.iter().copied(), "roles");
        given.push_str(&folded(bindings.iter().copied(), "bindings"));
        given.push_str(&all(groups.iter().map(|group| name(&format!("Group {group}")))));
        given
    };
    if *wildcard {
        given.push_str("<div class=\"kind\">by a wildcard</div>");
    }
    if row.differs {
        given.push_str("<div class=\"kind\">The API server decides otherwise.</div>");
    }
    let accounts = folded(row.accounts.iter().map(String::as_str), "service accounts");
    let workloads = if row.workloads.is_empty() {
        "<td class=\"none\">No workload uses it.</td>".to_owned()
    } else {
        let workloads = folded(row.workloads.iter().map(String::as_str), "workloads");
        format!("<td class=\"workload\">{workloads}</td>")
    };
    let role = if *state == State::Missing || roles.is_empty() { "denied" } else { "role" };
    format!(
        "<td class=\"{role}\">{given}</td>\
         <td class=\"account\">{accounts}{}</td>{workloads}",
        badge(class, word)
    )
}

/// Names one below the other, or folded behind their number where they are many.
fn folded<'a>(names: impl ExactSizeIterator<Item = &'a str> + Clone, what: &str) -> String {
    let count = names.len();
    if count <= SHOWN {
        return all(names.map(name));
    }
    let mut namespaces: BTreeSet<&str> = BTreeSet::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for label in names.clone() {
        let (kind, rest) = label.split_once(' ').unwrap_or(("", label));
        if !rest.starts_with('(') {
            *kinds.entry(kind).or_default() += 1;
        }
        let name = if rest.starts_with('(') { label } else { rest };
        namespaces.extend(name.split_once('/').map(|(namespace, _)| namespace));
    }
    let kind = match kinds.first_key_value() {
        Some((kind, of)) if *of == count && !kind.is_empty() => format!("{kind}s"),
        _ => what.to_owned(),
    };
    let within = match namespaces.len() {
        0 => String::new(),
        1 => format!(" in {}", Text(namespaces.first().copied().unwrap_or_default())),
        several => format!(" in {several} namespaces"),
    };
    let more = count.saturating_sub(LISTED);
    let rest = if more == 0 { String::new() } else { format!("<div>and {more} more</div>") };
    format!(
        "<details><summary>{count} {}{within}</summary>{}{rest}</details>",
        Text(&kind),
        all(names.take(LISTED).map(name))
    )
}

/// `ClusterRole web` with its kind in small letters, or a name alone.
fn name(label: &str) -> String {
    match label.split_once(' ') {
        Some((kind, rest)) if !rest.starts_with('(') => {
            format!("<div><span class=\"kind\">{}</span> {}</div>", Text(kind), Text(rest))
        }
        _ => format!("<div>{}</div>", Text(label)),
    }
}

#[cfg(test)]
mod tests;
