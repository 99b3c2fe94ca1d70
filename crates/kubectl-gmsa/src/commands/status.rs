//! `kubectl gmsa status`: the doctor's checks of the webhook, and what its replicas report.

use gmsa_core::diagnosis::catalogue::cluster::WEBHOOK_REPLICAS;
use gmsa_core::diagnosis::{Outcome, State};
use gmsa_core::names::API_VERSION;
use kube::Client;
use schemars::JsonSchema;
use serde::Serialize;

use crate::checks;
use crate::checks::facts::Facts;
use crate::checks::replicas::{Replica, Replicas};
use crate::checks::report::OutcomeReport;
use crate::cli::{Status, StatusOutput};
use crate::connect::{self, connect, server_version};
use crate::failure::{Failure, REFUSED};
use crate::output::{printer, render};
use gmsa_cluster::api::value::text;

/// The report of `kubectl gmsa status -o json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// The version of the format.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// `Status`.
    kind: &'static str,
    /// Major and minor version of the API server.
    kubernetes: String,
    /// The outcomes of the doctor's checks of the webhook.
    outcomes: Vec<OutcomeReport>,
    /// The replicas, as each sees itself; empty if you may not list the pods.
    replicas: Vec<Replica>,
}

/// The schema of the report.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

/// Checks the webhook. The exit code is 1 if there is a problem, and 3 if none could be looked for.
pub fn run(args: &Status) -> Result<u8, Failure> {
    connect::block_on(status(args))
}

async fn status(args: &Status) -> Result<u8, Failure> {
    let client = connect(&args.target).await?;
    let version = server_version(&client).await?;
    let facts = checks::read(&client).await?;
    let (outcomes, replicas) = examine(&client, &facts, &args.namespace).await?;
    let replicas = replicas.unwrap_or_default();
    let report = Report {
        api_version: API_VERSION,
        kind: "Status",
        kubernetes: version.to_string(),
        outcomes: outcomes.iter().map(OutcomeReport::from).collect(),
        replicas,
    };
    let text = match args.output {
        StatusOutput::Table => table(&outcomes, &report.replicas, false),
        StatusOutput::Wide => table(&outcomes, &report.replicas, true),
        StatusOutput::Json => render::json("report", &report)?,
        StatusOutput::Yaml => render::yaml("report", &report)?,
    };
    printer::data(&text)?;
    if outcomes.iter().any(|outcome| outcome.state == State::Problem) {
        return Ok(1);
    }
    facts.note_hidden();
    Ok(if facts.hidden().is_some() { REFUSED } else { 0 })
}

/// Checks the installation in this namespace.
async fn examine(
    client: &Client,
    facts: &Facts,
    namespace: &str,
) -> Result<(Vec<Outcome>, Replicas), Failure> {
    if let Ok(Some(deployment)) = &facts.deployment {
        let other = text(deployment, "/metadata/namespace");
        if other != namespace {
            let words = format!("the webhook is not in the namespace {namespace} but in {other}");
            let outcome = Outcome::problem(&WEBHOOK_REPLICAS, words);
            return Ok((
                vec![outcome.then(format!("Give its namespace: -n {other}"))],
                Ok(Vec::new()),
            ));
        }
    }
    let options = checks::options(client, facts).await?;
    checks::webhook(client, facts, options.as_ref()).await
}

fn table(outcomes: &[Outcome], replicas: &[Replica], is_wide: bool) -> String {
    let rows = outcomes.iter().map(|outcome| {
        let object = outcome.object.clone().unwrap_or_default();
        let id = outcome.check.id.to_owned();
        vec![id, outcome.state.to_string(), object, outcome.message.clone()]
    });
    let mut text = render::table(&["CHECK", "STATE", "OBJECT", "WHAT WAS SEEN"], rows.collect());
    if !replicas.is_empty() {
        text.push('\n');
        text.push_str(&render::table(
            &["REPLICA", "READY", "VERSION", "HEARD", "CERTIFICATE UNTIL", "DENIED"],
            replicas.iter().map(row).collect(),
        ));
    }
    let wrong = |outcome: &&Outcome| matches!(outcome.state, State::Problem | State::Warning);
    let has_more = |outcome: &&Outcome| wrong(outcome) || (is_wide && !outcome.evidence.is_empty());
    for outcome in outcomes.iter().filter(has_more) {
        let next = if wrong(&outcome) { outcome.next_step() } else { &outcome.message };
        text.push_str(&format!("\n{}: {next}\n", outcome.check.id));
        for line in outcome.evidence.iter().flat_map(|line| line.lines()) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

fn row(replica: &Replica) -> Vec<String> {
    let unknown = || "?".to_owned();
    let ready = match (replica.ready, replica.pending.is_some()) {
        (true, _) => "yes",
        (false, true) => "pending",
        (false, false) => "no",
    };
    let ready = ready.to_owned();
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
