//! SARIF 2.1.0 (OASIS Standard), for code hosts.

use std::collections::BTreeMap;

use gmsa_core::admission::Reason;
use gmsa_core::finding::Code;
use serde_json::{Value, json};

use super::report::Report;
use crate::commands::Failure;

const DOCS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// Renders the report.
pub(super) fn render(report: &Report) -> Result<String, Failure> {
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    let mut results = Vec::new();
    for workload in &report.workloads {
        let at = location(Some(&workload.file), Some(workload.line), &workload.label());
        for denial in workload.places.iter().filter_map(|place| place.denial.as_ref()) {
            rules.entry(denial.reason).or_insert_with(|| denial_rule(denial.reason));
            let text = format!("{}: {}", workload.label(), denial.message);
            results.push(result(denial.reason, "error", &text, &at));
        }
        for finding in &workload.findings {
            rules.entry(finding.code).or_insert_with(|| finding_rule(finding.code));
            let text = format!("{}: {}", workload.label(), finding.message);
            results.push(result(finding.code, level(finding.severity), &text, &at));
        }
    }
    for object in &report.findings {
        let finding = &object.finding;
        let at = location(object.file.as_deref(), object.line, &object.object);
        rules.entry(finding.code).or_insert_with(|| finding_rule(finding.code));
        let text = format!("{}: {}", object.object, finding.message);
        results.push(result(finding.code, level(finding.severity), &text, &at));
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl-gmsa",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "results": results,
        }],
    });
    let mut text =
        serde_json::to_string_pretty(&log).map_err(|error| Failure::encode("SARIF", &error))?;
    text.push('\n');
    Ok(text)
}

fn level(severity: &str) -> &str {
    if severity == "info" { "note" } else { severity }
}

fn result(rule: &str, level: &str, text: &str, location: &Value) -> Value {
    json!({"ruleId": rule, "level": level, "message": {"text": text}, "locations": [location]})
}

fn location(file: Option<&str>, line: Option<usize>, object: &str) -> Value {
    let logical = json!([{"fullyQualifiedName": object}]);
    match (file.filter(|file| *file != "-"), line) {
        (Some(file), Some(line)) => {
            // SARIF wants slashes, also on Windows.
            let uri = file.replace('\\', "/");
            let physical = json!({"artifactLocation": {"uri": uri}, "region": {"startLine": line}});
            json!({"logicalLocations": logical, "physicalLocation": physical})
        }
        _ => json!({"logicalLocations": logical}),
    }
}

fn denial_rule(id: &str) -> Value {
    let reason = Reason::ALL.into_iter().find(|reason| reason.id() == id);
    let (summary, remedy) = reason.map_or(("", ""), |reason| (reason.summary(), reason.remedy()));
    rule(id, summary, remedy, &format!("{DOCS}docs/denials.md#{id}"), "error")
}

fn finding_rule(id: &str) -> Value {
    let Some(code) = Code::from_id(id) else { return json!({"id": id}) };
    let page = format!("{DOCS}{}", code.page());
    rule(id, code.summary(), code.remedy(), &page, level(code.severity().as_str()))
}

fn rule(id: &str, summary: &str, remedy: &str, page: &str, level: &str) -> Value {
    json!({
        "id": id,
        "shortDescription": {"text": summary},
        "help": {"text": remedy},
        "helpUri": page,
        "defaultConfiguration": {"level": level},
    })
}
