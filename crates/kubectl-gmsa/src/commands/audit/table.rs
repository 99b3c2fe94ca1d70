//! The report for people.

use std::fmt::Write as _;

use gmsa_cluster::audit::Report;

use crate::output::counted;

/// Renders the findings, what to do, and the numbers.
pub fn render(report: &Report, wide: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<8} {}  {}", finding.severity, finding.code, finding.label);
        let _ = writeln!(text, "         {}", finding.message);
        if wide {
            for evidence in &finding.evidence {
                let _ = writeln!(text, "         - {evidence}");
            }
        }
        let _ = writeln!(text, "         -> {}", finding.remedy);
    }
    let summary = &report.summary;
    let _ = writeln!(
        text,
        "{}{} pods, {} with a GMSA; {} workloads with a GMSA; {}\n\
         {} errors, {} warnings, {} infos",
        if text.is_empty() { "" } else { "\n" },
        summary.pods,
        summary.gmsa_pods,
        summary.gmsa_workloads,
        counted(summary.credential_specs, "credential spec"),
        summary.errors,
        summary.warnings,
        summary.infos
    );
    text
}
