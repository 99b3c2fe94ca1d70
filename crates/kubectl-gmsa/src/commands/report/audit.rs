//! The section of the audit: pods and workloads that admission would deny or warn about now.

use gmsa_cluster::audit::{Audit, Finding};
use gmsa_core::finding::{Code, Severity};
use gmsa_core::names;
use gmsa_core::printable::counted;

use super::html::{Table, Text, badge, list, prose, steps};

/// How many rows the table has at most.
const ROWS: usize = 500;
/// How many lines of evidence are shown of one finding.
const EVIDENCE: usize = 5;

/// The findings of the table; those of lint are at the credential specs.
pub fn told(audit: &Audit) -> impl Iterator<Item = &Finding> {
    audit
        .findings
        .iter()
        .filter(|one| one.object.kind != names::KIND || one.code == Code::CredspecUnused)
}

/// How many of these have the severity.
pub fn count(audit: &Audit, severity: Severity) -> usize {
    told(audit).filter(|one| one.code.severity() == severity).count()
}

/// Renders the section.
pub fn render(audit: &Result<Audit, String>) -> String {
    let audit = match audit {
        Ok(audit) => audit,
        Err(why) => {
            return format!("<p class=\"note\">The audit failed: {}</p>\n", Text(why));
        }
    };
    let mut html = format!(
        "<p>Checked: {}, {} with a GMSA, and {} with one. Findings of credential specs are in the next \
         section.</p>\n",
        counted(audit.pods, "pod"),
        audit.gmsa_pods,
        counted(audit.gmsa_workloads, "workload")
    );
    for unread in &audit.unread {
        html.push_str(&format!(
            "<p class=\"note\">There may be more than was found: {}.</p>\n",
            Text(unread)
        ));
    }
    let found: Vec<&Finding> = told(audit).collect();
    if found.is_empty() {
        html.push_str("<p>Nothing was found.</p>\n");
        return html;
    }
    let mut table = Table::new(
        "audit-table",
        "What was found, the worst first",
        &["Object", "Severity and code", "What was found, with the evidence", "What to do"],
    );
    for finding in found.iter().take(ROWS) {
        let severity = finding.code.severity().as_str();
        let code = finding.code.id();
        let kind =
            format!("{}<br><code class=\"id\">{}</code>", badge(severity, severity), Text(code));
        let cells = [kind, seen(finding), steps(&finding.remedy)];
        table.row(&finding.object.to_string(), &cells);
    }
    html.push_str(&table.end());
    if let Some(more @ 1..) = found.len().checked_sub(ROWS) {
        html.push_str(&format!(
            "<p class=\"note\">{more} more findings, the least severe, are left out: the table ends \
             after {ROWS}. kubectl gmsa audit shows all.</p>\n"
        ));
    }
    html
}

fn seen(finding: &Finding) -> String {
    let more = finding.evidence.len().saturating_sub(EVIDENCE);
    let lines = finding.evidence.iter().take(EVIDENCE).map(|line| prose(line));
    let rest = (more > 0).then(|| format!("and {more} more"));
    let evidence = if finding.evidence.is_empty() {
        String::new()
    } else {
        format!("<div class=\"evidence\">{}</div>", list(lines.chain(rest)))
    };
    format!("{}{evidence}", Text(&finding.message))
}
