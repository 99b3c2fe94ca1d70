//! The files that are made from the code, so that they cannot say something else than the code.

use anyhow::Result;

use crate::reference;

/// One generated file.
pub struct Generated {
    /// The path from the root of the repository.
    pub path: String,
    /// What the file holds.
    pub text: String,
}

/// Every generated file.
pub fn all() -> Result<Vec<Generated>> {
    let mut files = vec![
        file("deploy/crd.yaml", gmsa_cluster::crd::yaml()?),
        file("docs/denials.md", gmsa_core::admission::denials_page()),
        file("docs/metrics.md", gmsa_webhook::metrics::metrics_page()),
        file("docs/findings.md", gmsa_core::finding::findings_page()),
        file("docs/schemas/access-report.schema.json", schema(&kubectl_gmsa::access_schema())?),
        file("docs/schemas/review-report.schema.json", schema(&kubectl_gmsa::review_schema())?),
    ];
    files.extend(reference::pages(kubectl_gmsa::command()));
    files.extend(reference::pages(gmsa_webhook::config::command()));
    Ok(files)
}

fn schema(schema: &serde_json::Value) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(schema)?))
}

/// A generated file.
pub fn file(path: impl Into<String>, text: String) -> Generated {
    Generated { path: path.into(), text }
}
