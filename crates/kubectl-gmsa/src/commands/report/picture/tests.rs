use std::collections::BTreeSet;

use super::layout::{HEIGHT, Layout, MOST};
use super::{draw, fitted};
use crate::access_map::graph::{Graph, Sort};

/// So many accounts with a binding and a role each, and one denied.
fn graph(accounts: usize) -> Graph {
    let mut graph = Graph::default();
    let mut add = |label: &str, sort| {
        graph.nodes.insert(label.to_owned(), sort);
    };
    add("GMSACredentialSpec web", Sort::Spec);
    add("ServiceAccount zoo/last", Sort::Account);
    for number in 0..accounts {
        add(&format!("ServiceAccount shop/a{number}"), Sort::Account);
        add(&format!("RoleBinding shop/b{number}"), Sort::Binding);
    }
    add("ClusterRole use", Sort::Role);
    let mut edge = |from: &str, to: &str, denied| {
        graph.edges.insert((from.to_owned(), to.to_owned(), denied));
    };
    for number in 0..accounts {
        let binding = format!("RoleBinding shop/b{number}");
        edge(&format!("ServiceAccount shop/a{number}"), &binding, false);
        edge(&binding, "ClusterRole use", false);
    }
    edge("ClusterRole use", "GMSACredentialSpec web", false);
    edge("ServiceAccount zoo/last", "GMSACredentialSpec web", true);
    graph
}

#[test]
fn no_box_covers_another_and_every_line_leads_from_left_to_right() {
    for accounts in [1, 7, 30, 300] {
        let layout = Layout::new(&graph(accounts));
        for one in &layout.boxes {
            for other in layout.boxes.iter().filter(|other| other.label != one.label) {
                let apart = (one.y - other.y).abs() >= HEIGHT || one.x != other.x;
                assert!(apart, "{} covers {}", one.label, other.label);
            }
            assert!(one.y >= HEIGHT / 2 && one.y + HEIGHT / 2 <= layout.height, "{}", one.label);
        }
        for line in &layout.lines {
            assert!(line.points.windows(2).all(|pair| pair[0].1 < pair[1].0), "{}", line.from);
        }
    }
}

#[test]
fn a_large_cluster_is_drawn_within_the_limit_and_what_is_denied_stays() {
    let layout = Layout::new(&graph(300));
    let accounts = layout.boxes.iter().filter(|one| one.sort == Sort::Account);
    assert_eq!(accounts.count(), MOST);
    assert_eq!(layout.hidden, 301 - (MOST - 1) + 300 - (MOST - 1));
    let labels: BTreeSet<&str> = layout.boxes.iter().map(|one| one.label.as_str()).collect();
    assert!(labels.contains("ServiceAccount zoo/last"), "{labels:?}");
    assert!(labels.contains("ServiceAccounts and 262 more"), "{labels:?}");
    assert!(draw(&graph(300)).contains("at most 40 are drawn"));
    assert!(!draw(&graph(3)).contains("at most 40 are drawn"));
}

#[test]
fn a_long_name_keeps_both_ends() {
    assert_eq!(fitted("short/name"), "short/name");
    let fitted = fitted("a-rather-long-namespace/a-rather-long-account");
    assert_eq!(fitted, "a-rather-lo…ng-account");
}
