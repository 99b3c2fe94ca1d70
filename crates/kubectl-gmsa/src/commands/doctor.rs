//! `kubectl gmsa doctor`: why a pod has no identity, and what to do.

mod bundle;
mod directory;
mod explain;
mod node;
mod pod;
mod redact;
mod report;
mod table;

use std::collections::BTreeSet;

use gmsa_core::diagnosis::{Health, Outcome, Verdict};
use gmsa_core::finding::Severity;

use crate::checks;
use crate::checks::dns::Resolution;
use crate::cli::{Doctor, DoctorCommand, DoctorOutput};
use crate::connect::{block_on, connect, server_version};
use crate::failure::Failure;
use crate::output::{file, printer, render};
use report::Report;

pub use report::schema;

/// What one side of the examination found.
#[derive(Debug, Default)]
pub struct Found {
    /// The outcome of each check.
    pub outcomes: Vec<Outcome>,
    /// The credential specs in question; findings of others are left out.
    pub credential_specs: BTreeSet<String>,
    /// Further outputs, for the archive.
    pub outputs: Vec<Output>,
    /// How the pod in question resolves names.
    pub resolution: Resolution,
    /// That pod, or the workload.
    pub subject: Option<pod::Subject>,
}

/// A text that a check rests on, as it came, such as the output of a command.
#[derive(Debug)]
pub struct Output {
    /// Its name, such as `web/iis/nltest-query.txt`.
    pub name: String,
    /// The text; it is redacted before it is written.
    pub text: String,
}

/// Runs the checks and prints the verdict. The exit code is 1 if something is wrong.
pub fn run(args: &Doctor) -> Result<u8, Failure> {
    if let Some(DoctorCommand::Explain(args)) = &args.command {
        return explain::run(args);
    }
    if args.print_lifecycle {
        return pod::print_lifecycle(args);
    }
    if args.print_node_checks {
        return node::print();
    }
    block_on(examine(args))
}

async fn examine(args: &Doctor) -> Result<u8, Failure> {
    let nodes = node::read(&args.node_output)?;
    if let Some(file) = &args.bundle {
        file::refuse_existing(file, args.overwrite)?;
        file::refuse_nowhere(file)?;
    }
    let offline =
        args.target.is_none() && !args.from_ad && args.bundle.is_none() && !nodes.is_empty();
    if offline {
        let outcomes = node::examine(&nodes, &[]);
        let verdict = Verdict::of(&outcomes);
        let report = Report::new(None, None, &outcomes, &verdict);
        return print(args, &outcomes, &verdict, &report);
    }
    let client = connect(&args.connect).await?;
    if args.print_lifecycle || args.add_lifecycle {
        return pod::lifecycle(&client, args).await;
    }
    let version = server_version(&client).await?;
    let mut found = Found::default();
    if let Some(target) = &args.target {
        found = pod::examine(&client, args, target).await?;
    }
    let Found { mut outcomes, credential_specs, mut outputs, resolution, subject } = found;
    let facts = checks::read(&client).await?;
    let specs = checks::specs_of(&facts, &credential_specs);
    // A password is asked for before anything waits for an answer.
    let directories =
        if args.from_ad { directory::of_specs(&args.directory, &specs)? } else { Vec::new() };
    let windows_nodes = checks::windows_nodes(&facts);
    let (of_cluster, of_directory) = tokio::join!(
        checks::examine(&client, &facts, &credential_specs),
        directory::examine(&directories, &windows_nodes)
    );
    outcomes.extend(of_cluster?);
    checks::dns::settle(&mut outcomes, &resolution);
    outcomes.extend(of_directory?);
    if args.from_ad && directories.is_empty() {
        outcomes.push(directory::nowhere());
    }
    outcomes.extend(node::examine(&nodes, &specs));
    outputs.extend(node::outputs(&nodes));
    let verdict = Verdict::of(&outcomes);
    let report = Report::new(Some(version.to_string()), args.target.clone(), &outcomes, &verdict);
    // Whatever becomes of the one, the other is made.
    let printed = print(args, &outcomes, &verdict, &report);
    if let Some(file) = &args.bundle {
        let case = bundle::Case {
            client: &client,
            facts: &facts,
            args,
            subject: subject.as_ref(),
            credential_specs: &credential_specs,
            outcomes: &outcomes,
            verdict: &verdict,
            report: &report,
            outputs: &outputs,
        };
        bundle::write(file, &case).await?;
    }
    let code = printed?;
    Ok(if directory::unreached(&outcomes) { UNREACHED } else { code })
}

/// The exit code if the directory could not be reached, or refused.
const UNREACHED: u8 = 3;

/// Prints the report. The exit code is 1 if it reaches `--fail-on`.
fn print(
    args: &Doctor,
    outcomes: &[Outcome],
    verdict: &Verdict<'_>,
    report: &Report,
) -> Result<u8, Failure> {
    printer::data(&match args.output {
        DoctorOutput::Table => table::text(outcomes, verdict, false),
        DoctorOutput::Wide => table::text(outcomes, verdict, true),
        DoctorOutput::Json => render::json("report", report)?,
        DoctorOutput::Yaml => render::yaml("report", report)?,
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
