//! `kubectl gmsa review`: judges every workload in files as admission would.

mod facts;
mod judge;
mod objects;
mod report;
mod sarif;
mod table;
mod yaml;

use gmsa_cluster::manifests::{Input, ManifestSet, Problem, read};
use gmsa_core::finding::Severity;

use super::Failure;
use crate::cli::{Output, Review};
use crate::printer;
use facts::Facts;
use report::Report;

pub use report::schema;

/// Judges the files.
pub fn run(args: &Review) -> Result<u8, Failure> {
    let inputs: Vec<Input> = args
        .filename
        .iter()
        .map(|path| if path.as_os_str() == "-" { Input::Stdin } else { Input::Path(path.clone()) })
        .collect();
    let manifests = read(&inputs)?;
    let set = ManifestSet::new(&manifests.documents, &args.namespace);
    check(&manifests.unreadable, &set)?;

    let facts = if args.cluster {
        Facts::of_cluster(args.kubeconfig.as_deref(), args.context.as_deref())?
    } else {
        Facts::of_files(&set)
    };
    let judged = judge::all(&set, &manifests.documents, &facts)?;
    let findings = objects::findings(&set, args.cluster);
    let report = Report::new(&judged, findings, args.cluster);
    match args.output {
        Output::Table | Output::Wide => {
            printer::data(&table::render(&report, args.output == Output::Wide, printer::colour()))?;
        }
        Output::Json => {
            let mut json = serde_json::to_string_pretty(&report)
                .map_err(|error| Failure::encode("report", &error))?;
            json.push('\n');
            printer::data(&json)?;
        }
        Output::Sarif => printer::data(&sarif::render(&report)?)?,
        Output::Yaml => {
            let (text, kept) = yaml::render(&manifests.documents, &judged)?;
            printer::data(&text)?;
            for workload in kept {
                printer::note(&format!("denied, so left as it is: {workload}"));
            }
        }
    }
    let failed = report.worst().is_some_and(|worst| worst >= args.fail_on);
    Ok(u8::from(failed))
}

/// Tells what cannot be read; nothing is judged by half of the files.
fn check(
    unreadable: &[gmsa_cluster::manifests::UnreadableDocument],
    set: &ManifestSet,
) -> Result<(), Failure> {
    let mut problems: Vec<String> = unreadable.iter().map(ToString::to_string).collect();
    for problem in &set.problems {
        if matches!(problem, Problem::Twice { .. }) {
            printer::note(&format!("warning: {problem}"));
        } else {
            problems.push(problem.to_string());
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Input(problems.join("\nerror: "))) }
}

/// The severity of a denial.
const DENIAL: Severity = Severity::Error;
