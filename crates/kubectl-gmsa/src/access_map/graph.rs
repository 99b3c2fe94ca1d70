//! The report as a graph: workload -> service account -> (group ->) binding -> role -> credential
//! spec.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;

/// The nodes by label, each with its sort, and the edges between labels; true where the right is
/// missing.
#[derive(Default)]
struct Graph {
    nodes: BTreeMap<String, Sort>,
    edges: BTreeSet<(String, String, bool)>,
}

/// The kind of a node, in the order from users to credential specs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Workload,
    Account,
    Group,
    Binding,
    Role,
    Spec,
}

impl Graph {
    fn new(report: &Report) -> Self {
        let mut graph = Self::default();
        for spec in &report.credential_specs {
            graph.node(spec_label(&spec.name), Sort::Spec);
        }
        for entry in &report.access {
            let account = format!("ServiceAccount {}", entry.account());
            let spec = spec_label(&entry.credential_spec);
            // Service accounts that are in a group and do nothing with it would hide the others.
            let shown = !entry.is_one_of_many();
            if shown {
                graph.node(account.clone(), Sort::Account);
            }
            for by in &entry.used_by {
                let workload = format!("{} {}/{}", by.kind, entry.namespace, by.name);
                graph.node(workload.clone(), Sort::Workload);
                graph.edge(&workload, &account, false);
            }
            for way in &entry.ways {
                graph.node(way.binding.clone(), Sort::Binding);
                graph.node(way.role.clone(), Sort::Role);
                if way.subject.starts_with("Group ") {
                    graph.node(way.subject.clone(), Sort::Group);
                    graph.edge(&way.subject, &way.binding, false);
                    if shown {
                        graph.edge(&account, &way.subject, false);
                    }
                } else {
                    graph.edge(&account, &way.binding, false);
                }
                graph.edge(&way.binding, &way.role, false);
                graph.edge(&way.role, &spec, false);
            }
            if entry.verdict == "denied" {
                graph.edge(&account, &spec, true);
            }
        }
        graph
    }

    fn node(&mut self, label: String, sort: Sort) {
        self.nodes.entry(label).or_insert(sort);
    }

    fn edge(&mut self, from: &str, to: &str, denied: bool) {
        self.edges.insert((from.to_owned(), to.to_owned(), denied));
    }
}

fn spec_label(name: &str) -> String {
    format!("GMSACredentialSpec {name}")
}

/// The graph for Graphviz.
pub fn dot(report: &Report) -> String {
    let graph = Graph::new(report);
    let mut text = "digraph access {\n  rankdir=LR;\n".to_owned();
    for (label, sort) in &graph.nodes {
        let shape = match sort {
            Sort::Workload => "component",
            Sort::Account => "ellipse",
            Sort::Group => "doubleoctagon",
            Sort::Binding | Sort::Role => "box",
            Sort::Spec => "cylinder",
        };
        text.push_str(&format!("  {} [shape={shape}];\n", quoted(label)));
    }
    for (from, to, denied) in &graph.edges {
        let style = if *denied { " [style=dashed, color=red, label=\"denied\"]" } else { "" };
        text.push_str(&format!("  {} -> {}{style};\n", quoted(from), quoted(to)));
    }
    text.push_str("}\n");
    text
}

/// A string of the DOT language.
fn quoted(label: &str) -> String {
    format!("\"{}\"", label.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The graph for Mermaid.
pub fn mermaid(report: &Report) -> String {
    let graph = Graph::new(report);
    let mut text = "graph LR\n".to_owned();
    let mut ids = BTreeMap::new();
    for (index, (label, sort)) in graph.nodes.iter().enumerate() {
        let shown = entities(label);
        let (open, close) = match sort {
            Sort::Workload => ("[[", "]]"),
            Sort::Account => ("([", "])"),
            Sort::Group => ("{{", "}}"),
            Sort::Binding | Sort::Role => ("[", "]"),
            Sort::Spec => ("[(", ")]"),
        };
        text.push_str(&format!("  n{index}{open}\"{shown}\"{close}\n"));
        ids.insert(label.as_str(), index);
    }
    for (from, to, denied) in &graph.edges {
        if let (Some(from), Some(to)) = (ids.get(from.as_str()), ids.get(to.as_str())) {
            let arrow = if *denied { "-. denied .->" } else { "-->" };
            text.push_str(&format!("  n{from} {arrow} n{to}\n"));
        }
    }
    text
}

/// A label of Mermaid, in which only these characters need an escape.
fn entities(label: &str) -> String {
    let mut text = String::new();
    for character in label.chars() {
        match character {
            '"' | '#' | '<' | '>' | '&' | ';' | '`' | '\\' => {
                text.push_str(&format!("#{};", u32::from(character)));
            }
            other => text.push(other),
        }
    }
    text
}
