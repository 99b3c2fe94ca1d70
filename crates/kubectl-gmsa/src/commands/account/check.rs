//! `kubectl gmsa account check`

use std::fmt::Write as _;

use gmsa_core::names::API_VERSION;
use gmsa_directory::account::{self, Check, CheckStatus, Detail};
use gmsa_directory::{Credentials, Directory, Error, Options};
use schemars::JsonSchema;
use serde::Serialize;

use super::proof;
use crate::cli::account::{Check as Args, CheckOutput};
use crate::connect::{block_on, directory};
use crate::failure::Failure;
use crate::output::{printer, render};
use crate::prompt;

/// The report of `kubectl gmsa account check`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// The version of the format.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// `AccountCheckReport`.
    kind: &'static str,
    /// The account.
    account: String,
    /// The worst of the checks: `ok`, `unknown`, `warning` or `problem`.
    status: &'static str,
    /// The checks, in this order.
    checks: Vec<CheckReport>,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CheckReport {
    /// Its name.
    id: &'static str,
    /// `ok`, `unknown` (it was not or could not be checked), `warning` or `problem`.
    status: &'static str,
    /// What was found.
    message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Details that are too long for the message, such as everyone who may read the password.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    details: Vec<String>,
}

/// The JSON schema of the report.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).into()
}

/// Checks the account. The exit code is 1 if a check failed.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let (mut checks, proof) = block_on(async {
        let options = directory::options(&args.directory)?;
        let proof = credentials(args)?;
        let directory = Directory::open(&options).await?;
        let (hosts, problems) = directory::look_up(&directory, &args.principals).await?;
        let services: Vec<String> = args.service_name.iter().map(service_name).collect();
        let detail = match args.output {
            CheckOutput::Table => Detail::Summary,
            CheckOutput::Wide | CheckOutput::Json | CheckOutput::Yaml => Detail::Full,
        };
        let mut checks =
            account::check(&directory, &args.account, &hosts, &services, detail).await?;
        // The others are checked even if one is not found.
        checks.extend(problems.iter().map(not_found));
        let proof = match proof {
            Some(mut credentials) => {
                let domain = directory.domain().await?.dns_name;
                credentials.user = directory::full_name(&credentials.user, Some(&domain));
                let credentials = Some(credentials);
                let options = Options { credentials, kerberos: false, ..options };
                proof::prove(&options, &args.account, &domain).await?
            }
            None => Vec::new(),
        };
        Ok((checks, proof))
    })?;
    checks.extend(proof);
    let worst = checks.iter().map(|check| check.status).max().unwrap_or(CheckStatus::Unknown);
    let report = Report {
        api_version: API_VERSION,
        kind: "AccountCheckReport",
        account: args.account.trim_end_matches('$').to_owned(),
        status: worst.as_str(),
        checks: checks.into_iter().map(CheckReport::from).collect(),
    };
    printer::data(&match args.output {
        CheckOutput::Table => table(&report, false),
        CheckOutput::Wide => table(&report, true),
        CheckOutput::Json => render::json("report", &report)?,
        CheckOutput::Yaml => render::yaml("report", &report)?,
    })?;
    Ok(u8::from(worst == CheckStatus::Failed))
}

fn credentials(args: &Args) -> Result<Option<Credentials>, Failure> {
    let (Some(user), Some(file)) = (&args.as_user, &args.as_password_file) else { return Ok(None) };
    if args.directory.password_file.as_ref() == Some(file) && file.as_os_str() == "-" {
        return Err(Failure::Input("standard input can have one password, not two".to_owned()));
    }
    Ok(Some(Credentials { user: user.clone(), password: prompt::from_file(file)? }))
}

/// The service principal name that clients ask for: that of a web server, unless a class is given.
fn service_name(name: &String) -> String {
    if name.contains('/') { name.clone() } else { format!("http/{name}") }
}

fn not_found(error: &Error) -> Check {
    let remedy = "correct the name, or create the account of the host, group or user";
    Check::not_passed("host-may-retrieve", CheckStatus::Failed, error.to_string(), remedy)
}

impl From<Check> for CheckReport {
    fn from(check: Check) -> Self {
        let Check { id, status, message, remedy, details } = check;
        Self { id, status: status.as_str(), message, hint: remedy, details }
    }
}

fn table(report: &Report, wide: bool) -> String {
    let mut text = String::new();
    for check in &report.checks {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<12}{:<18} {}", in_words(check.status), check.id, check.message);
        for detail in check.details.iter().filter(|_| wide) {
            let _ = writeln!(text, "{:31}{detail}", "");
        }
        if let Some(hint) = &check.hint {
            let _ = writeln!(text, "{:31}-> {hint}", "");
        }
    }
    let _ = writeln!(text, "\n{}: {}", report.account, in_words(report.status));
    text
}

/// The status as people call it.
fn in_words(status: &'static str) -> &'static str {
    if status == CheckStatus::Unknown.as_str() { "not checked" } else { status }
}
