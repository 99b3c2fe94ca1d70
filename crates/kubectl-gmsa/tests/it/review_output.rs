//! What `kubectl gmsa review` writes for programs: SARIF and YAML.

use std::path::Path;

use crate::reviewing::{review, run};
use crate::support::ROOT;
use serde_json::{Value, json};

const PAGE: &str = "crates/kubectl-gmsa/tests/data/documentation-page.yaml";

#[test]
fn sarif_names_rules_levels_and_lines() {
    let ran = review(&["-f", PAGE, "-o", "sarif"]);
    assert_eq!(ran.code, 1);
    let log: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::schema::check("sarif", &log);
    let run = &log["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 4);
    for result in results {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()), "{result}");
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place.is_null() || place["region"]["startLine"].as_u64() >= Some(1), "{result}");
    }
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://"), "{rule}");
    }
    let invalid = results.iter().find(|one| one["ruleId"] == "name-invalid").unwrap();
    let place = &invalid["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], json!(PAGE));
    let text = std::fs::read_to_string(Path::new(ROOT).join(PAGE)).unwrap();
    let line = usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap();
    assert_eq!(text.lines().nth(line - 1), Some("---"), "the last document begins there");
}

#[test]
fn yaml_is_what_would_be_admitted() {
    let ran = review(&["-f", "examples", "-o", "yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("Deployment default/billing"), "{}", ran.stderr);
    // Judged again, the admitted ones carry contents that equal the credential spec.
    let again = run(&["review", "-f", "-", "-o", "json"], &ran.stdout);
    let report: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        report["summary"],
        json!({"workloads": 3, "usingGmsa": 3, "admitted": 2, "denied": 1})
    );
    assert_eq!(ran.stdout.matches("gmsaCredentialSpec: ").count(), 2, "{}", ran.stdout);
    let second = run(&["review", "-f", "-", "-o", "yaml"], &ran.stdout);
    assert_eq!(second.stdout, ran.stdout, "nothing is left to fill in");
}

#[test]
fn sarif_names_files_by_uris() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my page.yaml");
    std::fs::copy(Path::new(ROOT).join(PAGE), &file).unwrap();
    let ran = review(&["-f", file.to_str().unwrap(), "-o", "sarif"]);
    let log: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::schema::check("sarif", &log);
    let location = &log["runs"][0]["results"][0]["locations"][0];
    let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.ends_with("/my%20page.yaml"), "{uri}");
    // Standard input has no place.
    let ran = run(&["review", "-f", "-", "-o", "sarif"], &std::fs::read_to_string(file).unwrap());
    let log: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::schema::check("sarif", &log);
    assert!(!ran.stdout.contains("physicalLocation"), "{}", ran.stdout);
}

/// The objects of a text of YAML.
fn documents(text: &str) -> Vec<Value> {
    let documents = gmsa_cluster::manifests::parse("-", text).into_iter();
    documents.map(|document| document.unwrap().into_value()).collect()
}

#[test]
fn yaml_keeps_numbers_dates_booleans_and_modes() {
    let text = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: words
  labels: {"on": "yes", "0644": "0644"}
data:
  mode: "0644"
  octal: "0o17"
  hexadecimal: "0x1F"
  number: "08"
  thousands: "1_000"
  float: "1e3"
  commit: "12345e67"
  version: "1.20"
  date: "2001-01-01"
  time: 2001-12-14t21:59:43.10-05:00
  sexagesimal: "12:30:45"
  answer: "y"
  switch: "Off"
  nothing: "null"
  tilde: "~"
  empty: ""
  merge: "<<"
  script: |
    ---
    echo "a: b" # no comment
  tabs: "\t- a\r\n"
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 010
  paused: no
  template:
    spec:
      containers: [{name: iis, resources: {limits: {cpu: 0.5, memory: 1e3}}}]
      terminationGracePeriodSeconds: -0
      volumes:
      - name: secret
        secret: {secretName: s, defaultMode: 0644, items: [{key: k, path: p, mode: 0400}]}
      - name: configuration
        configMap: {name: words, defaultMode: 0o444}
      - name: all
        projected: {defaultMode: 420, sources: []}
"#;
    let ran = run(&["review", "-f", "-", "-o", "yaml"], text);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for line in
        ["defaultMode: 420", "mode: 256", "defaultMode: 292", "replicas: 8", "paused: false"]
    {
        assert!(ran.stdout.contains(line), "{line} in {}", ran.stdout);
    }
    // What stood in quotes is a text to every reader.
    for line in ["mode: \"0644\"", "answer: \"y\"", "date: \"2001-01-01\"", "nothing: \"null\""] {
        assert!(ran.stdout.contains(line), "{line} in {}", ran.stdout);
    }
    assert_eq!(documents(&ran.stdout), documents(text));
}

#[test]
fn another_program_gets_each_field_as_one_line() {
    let name = "a-stateful-set-with-a-name-of-sixty-three-characters-as-long-as";
    let container = |name: &str| {
        json!({"name": name, "image": "iis", "securityContext":
            {"windowsOptions": {"gmsaCredentialSpecName": "a-credential-spec-with-a-long-name"}}})
    };
    let workload = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "a-namespace-with-a-name-of-45-characters-more"},
        "spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/os": "windows"},
            "containers": [container("the-first-container"), container("the-second-container")]}}}});
    let ran = run(&["review", "-f", "-"], &workload.to_string());
    let rows: Vec<&str> = ran.stdout.lines().take(3).collect();
    for (row, container) in rows[1..].iter().zip(["the-first-container", "the-second-container"]) {
        assert!(row.starts_with("StatefulSet ") && row.contains(name), "{row}");
        assert!(row.contains(container) && row.ends_with("denied"), "{row}");
    }
    let ran = run(&["review", "-f", "https://example.com/web.yaml"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("addresses are not fetched"), "{}", ran.stderr);
}

#[test]
fn a_narrow_terminal_keeps_identifiers_whole() {
    // Of util-linux; it gives a program a terminal.
    let script = Path::new("/usr/bin/script");
    if !script.is_file() {
        let why = "there is no /usr/bin/script";
        return gmsa_testkit::tools::skip("a_narrow_terminal_keeps_identifiers_whole", why);
    }
    let program = env!("CARGO_BIN_EXE_kubectl-gmsa");
    let output = std::process::Command::new(script)
        .args(["-qec", &format!("stty cols 50; {program} doctor explain"), "/dev/null"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert!(lines.iter().any(|line| line.starts_with("  ")), "nothing was broken: {text}");
    for check in gmsa_core::diagnosis::catalogue::all() {
        let starts = |line: &&str| {
            line.strip_prefix(check.id).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        assert!(lines.iter().any(starts), "{} is broken: {text}", check.id);
    }
}
