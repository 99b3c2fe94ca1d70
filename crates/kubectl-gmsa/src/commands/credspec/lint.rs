//! `kubectl gmsa credspec lint`

use std::fmt::Write as _;

use gmsa_core::credspec::{lint, lint_contents};
use gmsa_core::finding::{Finding, Severity};
use gmsa_core::names::API_VERSION;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::file::{self, Found};
use crate::cli::credspec::{Lint, ReportOutput};
use crate::connect::{self, block_on, directory};
use crate::credential_spec::{self, name_of};
use crate::failure::Failure;
use crate::from_ad;
use crate::output::finding::FindingReport;
use crate::output::{counted, printer, render};

/// The report of `kubectl gmsa credspec lint`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// The version of the format.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// `CredspecLintReport`.
    kind: &'static str,
    /// The credential specs that were judged.
    credential_specs: Vec<SpecReport>,
}

/// A credential spec.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SpecReport {
    /// The name.
    name: String,
    /// The file and line; or `cluster`.
    source: String,
    /// What was found.
    findings: Vec<FindingReport>,
}

/// The JSON schema of the report.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Report).into()
}

/// Judges credential specs.
pub fn run(args: &Lint) -> Result<u8, Failure> {
    let found =
        if args.filename.is_empty() { of_cluster(args)? } else { file::read_some(&args.filename)? };
    let mut judged: Vec<(Found, Vec<Finding>)> = found
        .into_iter()
        .map(|found| {
            let findings = findings(&found);
            (found, findings)
        })
        .collect();
    if args.from_ad {
        block_on(async {
            let directory = directory::open(&args.directory).await?;
            let objects: Vec<&Value> = judged.iter().map(|(found, _)| &found.object).collect();
            let compared = from_ad::compare(&directory, &objects).await?;
            for ((_, findings), more) in judged.iter_mut().zip(compared) {
                findings.extend(more);
            }
            Ok(())
        })?;
    }
    let worst = judged.iter().flat_map(|(_, found)| found).map(Finding::severity).max();
    let report = Report {
        api_version: API_VERSION,
        kind: "CredspecLintReport",
        credential_specs: judged.into_iter().map(SpecReport::from).collect(),
    };
    printer::data(&match args.output {
        ReportOutput::Table => table(&report),
        ReportOutput::Json => render::json("report", &report)?,
        ReportOutput::Yaml => render::yaml("report", &report)?,
    })?;
    Ok(u8::from(worst.is_some_and(|worst| worst >= args.fail_on)))
}

fn of_cluster(args: &Lint) -> Result<Vec<Found>, Failure> {
    block_on(async {
        let cluster = connect::objects(&args.cluster).await?;
        let mut objects = Vec::new();
        if args.names.is_empty() {
            objects = credential_spec::list(&cluster).await?;
        }
        for name in &args.names {
            objects.push(credential_spec::read(&cluster, name).await?);
        }
        let source = || "cluster".to_owned();
        Ok(objects
            .into_iter()
            .map(|object| Found { object, source: source(), bare: false })
            .collect())
    })
}

/// A file of Windows has no name that could be wrong.
fn findings(found: &Found) -> Vec<Finding> {
    if found.bare {
        return lint_contents(found.object.get("credspec").unwrap_or(&Value::Null));
    }
    lint(name_of(&found.object), &found.object)
}

impl From<(Found, Vec<Finding>)> for SpecReport {
    fn from((found, findings): (Found, Vec<Finding>)) -> Self {
        Self {
            name: name_of(&found.object).to_owned(),
            source: found.source,
            findings: findings.iter().map(FindingReport::from).collect(),
        }
    }
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    let mut clean = 0;
    for spec in &report.credential_specs {
        if spec.findings.is_empty() {
            clean += 1;
            continue;
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "{} ({})", spec.name, spec.source);
        for finding in &spec.findings {
            finding.describe(&mut text, true);
        }
        text.push('\n');
    }
    let severities = Severity::ALL.iter().rev().map(|severity| {
        let of = |spec: &SpecReport| {
            spec.findings.iter().filter(|one| one.severity == severity.as_str()).count()
        };
        format!("{severity} {}", report.credential_specs.iter().map(of).sum::<usize>())
    });
    let severities: Vec<String> = severities.collect();
    let _ = writeln!(
        text,
        "{}, {clean} without findings: {}",
        counted(report.credential_specs.len(), "credential spec"),
        severities.join(", ")
    );
    text
}
