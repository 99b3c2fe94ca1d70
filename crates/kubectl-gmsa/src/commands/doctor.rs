//! `kubectl gmsa doctor`: why a pod has no identity, and what to do.

mod cluster;
mod explain;
mod pod;
mod report;
mod table;

use std::collections::BTreeSet;

use gmsa_core::diagnosis::{Health, Outcome, Verdict};
use gmsa_core::finding::Severity;

use super::install::server_version;
use super::runtime::{block_on, connect};
use super::{Failure, render};
use crate::cli::{Doctor, DoctorCommand, DoctorOutput};
use crate::printer;
use report::Report;

pub(super) use cluster::examine as examine_cluster;
pub use report::schema;

/// What one side of the examination found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What each check came to.
    pub(super) outcomes: Vec<Outcome>,
    /// The credential specs that it is about; the others' findings are then not of interest.
    pub(super) credential_specs: BTreeSet<String>,
    /// What was read besides, for the archive.
    #[expect(dead_code, reason = "the archive keeps it")]
    pub(super) outputs: Vec<Output>,
}

/// A text that a check rests on, as it came, such as the output of a command.
#[derive(Debug)]
#[expect(dead_code, reason = "the archive keeps it")]
pub(super) struct Output {
    /// Its name, such as `web/iis/nltest-query.txt`.
    pub(super) name: String,
    /// The text; what stands in it is redacted before it is kept.
    pub(super) text: String,
}

/// Looks, and says what is wrong. The exit code is 1 if something is.
pub fn run(args: &Doctor) -> Result<u8, Failure> {
    if let Some(DoctorCommand::Explain(args)) = &args.command {
        return explain::run(args);
    }
    refuse(args)?;
    block_on(examine(args))
}

/// Flags whose work is not there yet are refused, not passed over.
fn refuse(args: &Doctor) -> Result<(), Failure> {
    let given = [
        (args.from_ad, "--from-ad"),
        (args.bundle.is_some(), "--bundle"),
        (args.print_node_checks, "--print-node-checks"),
        (args.node_output.is_some(), "--node-output"),
    ];
    match given.into_iter().find(|(given, _)| *given) {
        Some((_, flag)) => {
            let words = format!("failed to follow {flag}: this version does not have it yet");
            Err(Failure::Input(words))
        }
        None => Ok(()),
    }
}

async fn examine(args: &Doctor) -> Result<u8, Failure> {
    let client = connect(&args.connect).await?;
    if args.print_lifecycle || args.add_lifecycle {
        return pod::lifecycle(&client, args).await;
    }
    let version = server_version(&client).await?;
    let mut found = Found::default();
    if let Some(target) = &args.target {
        found = pod::examine(&client, args, target).await?;
    }
    found.outcomes.extend(cluster::examine(&client, &found.credential_specs).await?);
    let verdict = Verdict::of(&found.outcomes);
    let report =
        Report::new(Some(version.to_string()), args.target.clone(), &found.outcomes, &verdict);
    printer::data(&match args.output {
        DoctorOutput::Table => table::text(&found.outcomes, &verdict, false),
        DoctorOutput::Wide => table::text(&found.outcomes, &verdict, true),
        DoctorOutput::Json => render::json("report", &report)?,
        DoctorOutput::Yaml => render::yaml("report", &report)?,
    })?;
    Ok(u8::from(severity(verdict.health).is_some_and(|worst| worst >= args.fail_on)))
}

fn severity(health: Health) -> Option<Severity> {
    match health {
        Health::Healthy => None,
        Health::Undecided => Some(Severity::Info),
        Health::Troubled => Some(Severity::Warning),
        Health::Broken => Some(Severity::Error),
    }
}
