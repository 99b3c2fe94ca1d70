//! SARIF 2.1.0 (OASIS Standard), for code hosts.

use gmsa_core::admission::Reason;
use gmsa_core::finding::Code;
use serde_json::{Value, json};

use super::Failure;

const DOCS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// A whole log.
pub(super) fn log(rules: &[Value], results: &[Value]) -> Result<String, Failure> {
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl-gmsa",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    super::render::json("SARIF", &log)
}

/// The level of a severity.
pub(super) fn level(severity: &str) -> &str {
    if severity == "info" { "note" } else { severity }
}

/// One result.
pub(super) fn result(rule: &str, level: &str, text: &str, location: &Value) -> Value {
    json!({"ruleId": rule, "level": level, "message": {"text": text}, "locations": [location]})
}

/// Where it stands: in a file, or the object alone.
pub(super) fn location(file: Option<&str>, line: Option<usize>, object: &str) -> Value {
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

/// The rule of a reason of a denial.
pub(super) fn denial_rule(id: &str) -> Value {
    let reason = Reason::ALL.into_iter().find(|reason| reason.id() == id);
    let (summary, remedy) = reason.map_or(("", ""), |reason| (reason.summary(), reason.remedy()));
    rule(id, summary, remedy, &format!("{DOCS}docs/denials.md#{id}"), "error")
}

/// The rule of a code of findings.
pub(super) fn finding_rule(id: &str) -> Value {
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
