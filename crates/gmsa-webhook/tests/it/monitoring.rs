//! Alerts and the dashboard name metrics that exist, and each alert has a runbook.

use std::path::{Path, PathBuf};

use gmsa_cluster::manifests::{Input, read};
use gmsa_webhook::metrics::METRICS;
use serde_json::Value;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// The names of metrics in a query, with the labels that are asked of each.
fn metrics(query: &str) -> Vec<(String, Vec<String>)> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(is_name) {
        let end = rest[start..].find(|c| !is_name(c)).map_or(rest.len(), |at| start + at);
        let name = &rest[start..end];
        rest = &rest[end..];
        if !name.starts_with("gmsa_") && !name.starts_with("process_") {
            continue;
        }
        let mut labels = Vec::new();
        if let Some(inner) = rest.strip_prefix('{') {
            let (selector, after) = inner.split_once('}').unwrap();
            labels = selector
                .split(',')
                .map(|one| one.split(['=', '!']).next().unwrap().trim().to_owned())
                .collect();
            rest = after;
        }
        found.push((name.to_owned(), labels));
    }
    found
}

fn check(query: &str) {
    let used = metrics(query);
    assert!(!used.is_empty(), "{query} asks for nothing of ours");
    for (name, labels) in used {
        let name = ["_bucket", "_count", "_sum"]
            .into_iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(&name);
        let doc = METRICS.iter().find(|doc| doc.name == name);
        let doc = doc.unwrap_or_else(|| panic!("{query}: there is no metric {name}"));
        for label in labels {
            let known = doc.labels.contains(&label.as_str()) || label == "job";
            assert!(known, "{query}: {name} has no label {label}");
        }
    }
}

#[test]
fn alerts_ask_for_metrics_that_exist_and_have_a_runbook() {
    let manifests = read(&[Input::Path(path("deploy/monitoring/alerts.yaml"))]).unwrap();
    let rules = manifests.documents[0].value.pointer("/spec/groups/0/rules").unwrap().clone();
    let runbooks = std::fs::read_to_string(path("docs/runbooks.md")).unwrap();
    let rules = rules.as_array().unwrap();
    let headings = runbooks.lines().filter_map(|line| line.strip_prefix("## "));
    let names: Vec<&str> = rules.iter().map(|rule| rule["alert"].as_str().unwrap()).collect();
    assert_eq!(headings.collect::<Vec<_>>(), names, "a runbook for each alert, in this order");
    for (rule, name) in rules.iter().zip(names) {
        check(rule["expr"].as_str().unwrap());
        let url = rule["annotations"]["runbook_url"].as_str().unwrap();
        assert!(url.ends_with(&format!("/docs/runbooks.md#{}", name.to_lowercase())), "{url}");
        assert!(rule["annotations"]["summary"].as_str().unwrap().ends_with('.'));
        assert!(["warning", "critical"].contains(&rule["labels"]["severity"].as_str().unwrap()));
    }
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist_and_shows_all_of_ours() {
    let text = std::fs::read_to_string(path("deploy/monitoring/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let queries: Vec<&str> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    for query in &queries {
        check(query);
    }
    for doc in METRICS.iter().filter(|doc| doc.name.starts_with("gmsa_") && doc.kind != "info") {
        let shown = queries.iter().any(|query| query.contains(doc.name));
        assert!(shown, "the dashboard does not show {}", doc.name);
    }
}

#[test]
fn a_query_for_something_else_is_noticed() {
    assert_eq!(
        metrics("sum(rate(gmsa_a_total{code=~\"5..\",x!=\"y\"}[5m])) / gmsa_b"),
        [
            ("gmsa_a_total".to_owned(), vec!["code".to_owned(), "x".to_owned()]),
            ("gmsa_b".to_owned(), vec![])
        ]
    );
    for query in ["gmsa_no_such", "gmsa_credspecs{no=\"1\"}", "up"] {
        assert!(std::panic::catch_unwind(|| check(query)).is_err(), "{query}");
    }
}
