//! `kubectl gmsa status`: whether the webhook is as it should be.

mod checks;

use gmsa_core::finding::Severity;
use schemars::JsonSchema;
use serde::Serialize;

use super::install::server_version;
use super::runtime::connect;
use super::{Failure, render};
use crate::cli::{Status, StatusOutput};
use crate::printer;

pub(super) use checks::all as look;

const API_VERSION: &str = "gmsa.kube-gmsa.io/v1";

/// The report of `kubectl gmsa status -o json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// `gmsa.kube-gmsa.io/v1`.
    api_version: &'static str,
    /// `Status`.
    kind: &'static str,
    /// Major and minor version of the API server.
    kubernetes: String,
    /// What was looked at.
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Check {
    /// Its stable id.
    pub(super) id: &'static str,
    /// How it is.
    pub(super) state: State,
    /// What was seen.
    pub(super) message: String,
    /// What to do; empty if nothing.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) remedy: &'static str,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// Works, but somebody should look.
    Warning,
    /// Does not work.
    Error,
}

/// The schema of the report.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

/// Looks at everything, and says so.
pub fn run(args: &Status) -> Result<u8, Failure> {
    super::runtime::block_on(status(args))
}

async fn status(args: &Status) -> Result<u8, Failure> {
    let client = connect(&args.target).await?;
    let version = server_version(&client).await?;
    let checks = checks::all(&client, &args.namespace, version).await?;
    let report = Report {
        api_version: API_VERSION,
        kind: "Status",
        kubernetes: version.to_string(),
        checks,
    };
    match args.output {
        StatusOutput::Table => printer::data(&table(&report))?,
        StatusOutput::Json => printer::data(&render::json("report", &report)?)?,
    }
    Ok(u8::from(report.checks.iter().any(|check| check.state == State::Error)))
}

fn table(report: &Report) -> String {
    let rows = report.checks.iter().map(|check| {
        let state = match check.state {
            State::Ok => "ok",
            State::Warning => Severity::Warning.as_str(),
            State::Error => Severity::Error.as_str(),
        };
        vec![check.id.to_owned(), state.to_owned(), check.message.clone()]
    });
    let mut text = render::table(&["CHECK", "STATE", "WHAT WAS SEEN"], rows.collect());
    for check in report.checks.iter().filter(|check| !check.remedy.is_empty()) {
        text.push_str(&format!("\n{}: {}\n", check.id, check.remedy));
    }
    text
}
