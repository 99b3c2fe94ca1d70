//! The support archive: the findings and their evidence, without secrets.

mod archive;
mod gather;
mod logs;

use std::collections::BTreeSet;
use std::path::Path;

use gmsa_core::diagnosis::{Outcome, Verdict};
use kube::Client;
use serde_json::{Value, json};

use super::pod::Subject;
use super::report::Report;
use super::{Output, table};
use crate::checks::facts::Facts;
use crate::cli::Doctor;
use crate::failure::Failure;
use crate::output::{printer, render};
use archive::{Archive, Content};

/// What is written into the archive.
pub struct Case<'a> {
    pub client: &'a Client,
    pub facts: &'a Facts,
    pub args: &'a Doctor,
    /// The pod or workload in question.
    pub subject: Option<&'a Subject>,
    /// The credential specs in question; all if none is named.
    pub credential_specs: &'a BTreeSet<String>,
    pub outcomes: &'a [Outcome],
    pub verdict: &'a Verdict<'a>,
    pub report: &'a Report,
    pub outputs: &'a [Output],
}

/// Writes the archive, and prints a summary of it on standard error.
pub async fn write(file: &Path, case: &Case<'_>) -> Result<(), Failure> {
    let mut archive = Archive::default();
    let report = render::value("report", case.report)?;
    archive.add("verdict.txt", Content::Text(table::text(case.outcomes, case.verdict, true)));
    archive.add("report.json", Content::Json(report));
    archive.add("versions.json", Content::Json(versions(case)));
    gather::all(case, &mut archive).await;
    for output in case.outputs {
        archive.add(&format!("outputs/{}", output.name), Content::Text(output.text.clone()));
    }
    let sealed = archive.seal()?;
    let written = sealed.write(file, case.args.overwrite)?;
    printer::note(&format!("wrote {} ({written} bytes):", file.display()));
    for (name, bytes) in sealed.sizes() {
        printer::note(&format!("  {bytes:>9}  {name}"));
    }
    printer::note(&sealed.summary());
    Ok(())
}

fn versions(case: &Case<'_>) -> Value {
    let deployment = case.facts.live_deployment();
    let images = deployment.map(|deployment| {
        let containers = deployment.pointer("/spec/template/spec/containers");
        let containers = containers.and_then(Value::as_array).into_iter().flatten();
        containers.filter_map(|one| one.get("image").cloned()).collect::<Vec<_>>()
    });
    json!({
        "kubectl-gmsa": env!("CARGO_PKG_VERSION"),
        "system": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
        "kubernetes": case.report.kubernetes(),
        "webhookIsOurs": case.facts.ours,
        "webhookImages": images,
    })
}
