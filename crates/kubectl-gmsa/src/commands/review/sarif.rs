//! The report as SARIF.

use std::collections::BTreeMap;

use serde_json::Value;

use super::report::Report;
use crate::failure::Failure;
use crate::output::sarif::{self, denial_rule, finding_rule, level, location, result};

/// Renders the report.
pub fn render(report: &Report) -> Result<String, Failure> {
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    let mut results = Vec::new();
    for workload in &report.workloads {
        let at = location(Some(&workload.file), Some(workload.line), &workload.label());
        for denial in workload.denials() {
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
    sarif::log(&rules.into_values().collect::<Vec<_>>(), &results)
}
