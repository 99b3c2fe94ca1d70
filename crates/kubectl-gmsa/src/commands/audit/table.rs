//! The report for people.

use std::fmt::Write as _;

use gmsa_cluster::audit::Report;
use gmsa_core::printable::counted;

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
        "{}{}, {} with a GMSA; {} with a GMSA; {}\n{}, {}, {}",
        if text.is_empty() { "" } else { "\n" },
        counted(summary.pods, "pod"),
        summary.gmsa_pods,
        counted(summary.gmsa_workloads, "workload"),
        counted(summary.credential_specs, "credential spec"),
        counted(summary.errors, "error"),
        counted(summary.warnings, "warning"),
        counted(summary.infos, "info")
    );
    text
}
