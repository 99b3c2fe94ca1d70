//! `kubectl gmsa status`: whether the webhook is as it should be.

mod checks;
mod exclusions;
mod metrics;
mod replicas;

use gmsa_core::finding::Severity;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::{Status, StatusOutput};
use crate::connect::{self, connect, server_version};
use crate::failure::Failure;
use crate::output::{printer, render};

use gmsa_cluster::installation::Version;
use kube::Client;
use replicas::{Replica, Replicas};

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
    /// The replicas, as each sees itself; empty if the pods may not be listed.
    replicas: Vec<Replica>,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Its stable id.
    pub id: &'static str,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub message: String,
    /// What to do; empty if nothing.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub remedy: &'static str,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
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
    connect::block_on(status(args))
}

/// Looks at everything.
pub async fn look(
    client: &Client,
    namespace: &str,
    version: Version,
) -> Result<Vec<Check>, Failure> {
    Ok(look_closely(client, namespace, version).await?.0)
}

async fn look_closely(
    client: &Client,
    namespace: &str,
    version: Version,
) -> Result<(Vec<Check>, Replicas), Failure> {
    let mut checks = checks::all(client, namespace, version).await?;
    if checks.iter().any(|check| check.id == checks::INSTALLED) {
        return Ok((checks, Ok(Vec::new())));
    }
    let replicas = replicas::read(client, namespace).await;
    checks.extend(replicas::checks(&replicas));
    Ok((checks, replicas))
}

async fn status(args: &Status) -> Result<u8, Failure> {
    let client = connect(&args.target).await?;
    let version = server_version(&client).await?;
    let (checks, replicas) = look_closely(&client, &args.namespace, version).await?;
    let report = Report {
        api_version: API_VERSION,
        kind: "Status",
        kubernetes: version.to_string(),
        checks,
        replicas: replicas.unwrap_or_default(),
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
    if !report.replicas.is_empty() {
        text.push('\n');
        text.push_str(&render::table(
            &["REPLICA", "READY", "VERSION", "HEARD", "CERTIFICATE UNTIL", "DENIED"],
            report.replicas.iter().map(row).collect(),
        ));
    }
    for check in report.checks.iter().filter(|check| !check.remedy.is_empty()) {
        text.push_str(&format!("\n{}: {}\n", check.id, check.remedy));
    }
    text
}

fn row(replica: &Replica) -> Vec<String> {
    let unknown = || "?".to_owned();
    let ready = if replica.ready { "yes" } else { "no" }.to_owned();
    let Some(metrics) = &replica.metrics else {
        return vec![replica.pod.clone(), ready, unknown(), unknown(), unknown(), unknown()];
    };
    let heard = metrics.sync_age_seconds.map_or_else(unknown, |age| format!("{age} s ago"));
    let denied: u64 = metrics.denials.iter().map(|denials| denials.count).sum();
    vec![
        replica.pod.clone(),
        ready,
        metrics.version.clone(),
        heard,
        metrics.certificate_expires.clone().unwrap_or_else(unknown),
        denied.to_string(),
    ]
}
