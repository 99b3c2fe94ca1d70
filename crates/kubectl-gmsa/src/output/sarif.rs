//! SARIF 2.1.0 (OASIS Standard), for code hosts.

use std::fmt::Write as _;

use gmsa_core::admission::Reason;
use gmsa_core::finding::Code;
use serde_json::{Value, json};

use crate::failure::Failure;

const DOCS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// A whole log.
pub fn log(rules: &[Value], results: &[Value]) -> Result<String, Failure> {
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
pub fn level(severity: &str) -> &str {
    if severity == "info" { "note" } else { severity }
}

/// One result.
pub fn result(rule: &str, level: &str, text: &str, location: &Value) -> Value {
    json!({"ruleId": rule, "level": level, "message": {"text": text}, "locations": [location]})
}

/// The location: a file, or only the object.
pub fn location(file: Option<&str>, line: Option<usize>, object: &str) -> Value {
    let logical = json!([{"fullyQualifiedName": object}]);
    match (file.filter(|file| *file != "-"), line) {
        (Some(file), Some(line)) => {
            let uri = uri(file, cfg!(windows));
            let physical = json!({"artifactLocation": {"uri": uri}, "region": {"startLine": line}});
            json!({"logicalLocations": logical, "physicalLocation": physical})
        }
        _ => json!({"logicalLocations": logical}),
    }
}

/// The path of a file as a reference in the sense of RFC 3986.
fn uri(file: &str, windows: bool) -> String {
    let path = if windows { file.replace('\\', "/") } else { file.to_owned() };
    let mut uri = String::with_capacity(path.len());
    // The text before a colon would be a scheme.
    if windows && path.as_bytes().get(1) == Some(&b':') {
        uri.push_str("file:///");
    } else if path.split('/').next().is_some_and(|first| first.contains(':')) {
        uri.push_str("./");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:@!$&'()*+,;=".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The rule of a reason of a denial.
pub fn denial_rule(id: &str) -> Value {
    let reason = Reason::ALL.iter().copied().find(|reason| reason.id() == id);
    let (summary, remedy) = reason.map_or(("", ""), |reason| (reason.summary(), reason.remedy()));
    rule(id, summary, remedy, &format!("{DOCS}docs/denials.md#{id}"), "error")
}

/// The rule of a code of findings.
pub fn finding_rule(id: &str) -> Value {
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

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        for (path, windows, expected) in [
            ("deploy/web.yaml", false, "deploy/web.yaml"),
            ("/srv/my files/ä#1.yaml", false, "/srv/my%20files/%C3%A4%231.yaml"),
            ("a\\b.yaml", false, "a%5Cb.yaml"),
            ("a:b.yaml", false, "./a:b.yaml"),
            ("deploy\\web.yaml", true, "deploy/web.yaml"),
            ("C:\\Users\\me\\a b.yaml", true, "file:///C:/Users/me/a%20b.yaml"),
        ] {
            assert_eq!(uri(path, windows), expected);
        }
    }
}
