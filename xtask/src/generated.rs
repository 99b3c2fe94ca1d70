//! The files that are generated from the code, so that they cannot contradict it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::file::{Generated, file};
use crate::{book, chart, commands, man, pictures, reference};

/// Every generated file.
pub fn all(root: &Path) -> Result<Vec<Generated>> {
    let mut files = vec![
        file("deploy/crd.yaml", gmsa_cluster::installation::definition::yaml()?),
        file(
            "charts/gmsa/crds/gmsacredentialspecs.yaml",
            gmsa_cluster::installation::definition::yaml()?,
        ),
        file(
            "charts/gmsa/match-condition.cel",
            format!("{}\n", gmsa_cluster::installation::MATCH_CONDITION),
        ),
        file(
            "charts/gmsa/early-warnings-condition.cel",
            format!("{}\n", gmsa_cluster::installation::EARLY_WARNINGS_CONDITION),
        ),
        copy(root, "deploy/monitoring/alerts.yaml", "charts/gmsa/monitoring/alerts.yaml")?,
        copy(root, "deploy/monitoring/dashboard.json", "charts/gmsa/monitoring/dashboard.json")?,
        file("charts/gmsa/README.md", chart::page(root)?),
        file("docs/denials.md", gmsa_core::admission::denials_page()),
        file("docs/metrics.md", gmsa_webhook::metrics::metrics_page()),
        file("docs/findings.md", gmsa_core::finding::findings_page()),
        file("docs/codes.md", gmsa_core::windows::codes::codes_page()),
        file(commands::PAGE, commands::page(root)?),
        file("docs/checks.md", gmsa_core::diagnosis::checks_page()),
        file("docs/remedies.md", gmsa_core::remedies::remedies_page()),
        file("docs/schemas/access-report.schema.json", schema(&kubectl_gmsa::access_schema())?),
        file(
            "docs/schemas/account-check-report.schema.json",
            schema(&kubectl_gmsa::account_check_schema())?,
        ),
        file("docs/schemas/audit-report.schema.json", schema(&kubectl_gmsa::audit_schema())?),
        file(
            "docs/schemas/credspec-lint-report.schema.json",
            schema(&kubectl_gmsa::credspec_lint_schema())?,
        ),
        file("docs/schemas/doctor-report.schema.json", schema(&kubectl_gmsa::doctor_schema())?),
        file("docs/schemas/review-report.schema.json", schema(&kubectl_gmsa::review_schema())?),
        file("docs/schemas/status.schema.json", schema(&kubectl_gmsa::status_schema())?),
    ];
    files.extend(
        gmsa_cluster::installation::manifests()?.into_iter().map(|(path, text)| file(path, text)),
    );
    files.extend(reference::pages(kubectl_gmsa::command()));
    files.extend(reference::pages(gmsa_webhook::config::command()));
    files.extend(man::pages(kubectl_gmsa::command())?);
    files.extend(man::pages(gmsa_webhook::config::command())?);
    files.extend(book::pages(root, &files)?);
    files.push(pictures::review(root)?);
    Ok(files)
}

fn schema(schema: &serde_json::Value) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(schema)?))
}

/// A file that must exist twice: helm reads only files in the chart.
fn copy(root: &Path, from: &str, to: &str) -> Result<Generated> {
    let path = root.join(from);
    let text = fs::read_to_string(&path).with_context(|| format!("failed to read {from}"))?;
    Ok(file(to, text))
}
