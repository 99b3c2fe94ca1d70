//! `kubectl gmsa audit`: checks running pods and workloads against the current policy.

mod table;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _, stderr};

use gmsa_cluster::audit::{self, Finding, Object, Report, Scope};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::cli::{Audit, AuditOutput};
use crate::connect::{Connection, directory, objects};
use crate::credential_spec::{self, name_of};
use crate::failure::Failure;
use crate::from_ad;
use crate::output::{printer, render, sarif};

pub use gmsa_cluster::audit::schema;

/// Audits the cluster.
pub fn run(args: &Audit) -> Result<u8, Failure> {
    let since = args.since.map(|age| Timestamp::now().checked_sub(age.0)).transpose();
    let since =
        since.map_err(|error| Failure::Input(format!("failed to read --since: {error}")))?;
    let connection = Connection::open(&args.connect)?;
    connection.expect_namespace(args.namespace.as_deref())?;
    let scope = Scope { namespace: args.namespace.clone(), since, ..Scope::default() };
    let is_watched = stderr().is_terminal();
    let progress = |pods: usize| {
        if is_watched {
            // There is nowhere to report a failure.
            let _ = write!(stderr(), "\r{pods} pods");
        }
    };
    let audit = connection.runtime.block_on(audit::run(
        connection.client.clone(),
        scope.clone(),
        &progress,
    ));
    if is_watched {
        // Without an escape sequence, which a console of Windows may print.
        let _ = write!(stderr(), "\r{:20}\r", "");
    }
    let mut audit = audit.map_err(|error| Failure::Cluster(error.to_string()))?;
    if args.from_ad {
        let findings = connection.runtime.block_on(of_directory(args))?;
        audit.add(findings);
    }
    for unread in &audit.unread {
        printer::warning(&format!("{unread}; the audit is not complete"));
    }
    let report = Report::new(&audit, &scope, Timestamp::now());
    printer::data(&match args.output {
        AuditOutput::Table | AuditOutput::Wide => {
            table::render(&report, args.output == AuditOutput::Wide)
        }
        AuditOutput::Json => render::json("report", &report)?,
        AuditOutput::Yaml => render::yaml("report", &report)?,
        AuditOutput::Sarif => as_sarif(&report)?,
    })?;
    Ok(u8::from(audit.worst().is_some_and(|worst| worst >= args.fail_on)))
}

/// Findings from the directory about the credential specs of the cluster and their accounts.
async fn of_directory(args: &Audit) -> Result<Vec<Finding>, Failure> {
    let objects = credential_spec::list(&objects(&args.connect).await?).await?;
    let objects: Vec<&Value> = objects.iter().collect();
    let directory = directory::open(&args.directory).await?;
    let compared = from_ad::compare(&directory, &objects).await?;
    let of = |(object, findings): (&&Value, Vec<gmsa_core::finding::Finding>)| {
        let object = Object::cluster("GMSACredentialSpec", name_of(object));
        findings.into_iter().map(move |found| Finding::on(&object, found))
    };
    Ok(objects.iter().zip(compared).flat_map(of).collect())
}

fn as_sarif(report: &Report) -> Result<String, Failure> {
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    let mut results = Vec::new();
    for finding in &report.findings {
        rules.entry(finding.code).or_insert_with(|| sarif::finding_rule(finding.code));
        let text = format!("{}: {}", finding.label, finding.message);
        let at = sarif::location(None, None, &finding.label);
        results.push(sarif::result(finding.code, sarif::level(finding.severity), &text, &at));
    }
    sarif::log(&rules.into_values().collect::<Vec<_>>(), &results)
}
