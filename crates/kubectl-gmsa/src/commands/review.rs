//! `kubectl gmsa review`: judges every workload in files as admission would.

mod facts;
mod objects;
mod renames;
mod report;
mod sarif;
mod simulate;
mod table;
mod yaml;

use std::path::Path;

use gmsa_cluster::manifests::{Input, ManifestSet, Manifests, Problem, read};
use gmsa_core::finding::Severity;

use crate::cli::{Output, Review};
use crate::failure::Failure;
use crate::output::{printer, render};
use facts::{Cluster, Facts};
use renames::Renames;
use report::Report;

pub use report::schema;

/// Judges the files.
pub fn run(args: &Review) -> Result<u8, Failure> {
    let inputs: Vec<Input> = args.filename.iter().map(|path| path.as_path().into()).collect();
    let manifests = read(&inputs)?;
    let cluster = if args.cluster {
        Some(Cluster::connect(args.kubeconfig.as_deref(), args.context.as_deref())?)
    } else {
        None
    };
    let of_context = cluster.as_ref().map(|cluster| cluster.default_namespace().to_owned());
    let namespace = args.namespace.clone().or(of_context);
    let set = ManifestSet::new(&manifests.documents, namespace.as_deref().unwrap_or(NAMESPACE));
    check(&manifests, &set)?;
    let mut facts = match cluster {
        Some(cluster) => Facts::Cluster(Box::new(cluster)),
        None => Facts::of_files(&set),
    };
    let by_policies = facts.by_policies(&manifests.documents, args.engine)?;
    if !facts.is_decided() {
        printer::warning(
            "neither a GMSA webhook nor policies decide in this cluster (see kubectl gmsa status); this is \
             what the webhook would answer",
        );
    }
    let simulated = simulate::all(&set, &manifests.documents, &facts, by_policies)?;
    if by_policies {
        printer::note(
            "admission policies decide; what they answer differently from the webhook is listed with each \
             workload (docs/engine.md)",
        );
    }
    let findings = objects::findings(&set, args.cluster);
    let renames = Renames::of(&set, &simulated, args.cluster);
    let report = Report::new(&simulated, findings, renames, args.cluster, by_policies);
    match args.output {
        Output::Table | Output::Wide => {
            printer::data(&table::render(&report, args.output == Output::Wide, printer::colour()))?;
        }
        Output::Json => printer::data(&render::json("report", &report)?)?,
        Output::Sarif => printer::data(&sarif::render(&report)?)?,
        Output::Yaml => {
            let (text, kept) = yaml::render(&manifests.documents, &set, &simulated)?;
            printer::data(&text)?;
            for workload in kept {
                printer::note(&format!("denied, so left as it is: {workload}"));
            }
        }
    }
    let failed = report.worst().is_some_and(|worst| worst >= args.fail_on);
    Ok(u8::from(failed))
}

/// What `kubectl gmsa review -f PATH` prints on a terminal, for the documents.
///
/// # Errors
///
/// What ends the command: files that cannot be read.
pub fn on_a_terminal(path: &Path) -> Result<String, String> {
    let manifests = read(&[path.into()]).map_err(|error| error.to_string())?;
    let set = ManifestSet::new(&manifests.documents, NAMESPACE);
    let facts = Facts::of_files(&set);
    let simulated = simulate::all(&set, &manifests.documents, &facts, false)
        .map_err(|failure| failure.to_string())?;
    let findings = objects::findings(&set, false);
    let renames = Renames::of(&set, &simulated, false);
    Ok(table::render(&Report::new(&simulated, findings, renames, false, false), false, true))
}

/// Reports ignored and unreadable files; a review of half of the files would be misleading.
fn check(manifests: &Manifests, set: &ManifestSet) -> Result<(), Failure> {
    for passed_over in manifests.passed_over.iter().chain(set.passed_over.values()) {
        printer::note(&passed_over.to_string());
    }
    let mut problems: Vec<String> = manifests.unreadable.iter().map(ToString::to_string).collect();
    for problem in &set.problems {
        if matches!(problem, Problem::Twice { .. }) {
            printer::note(&format!("warning: {problem}"));
        } else {
            problems.push(problem.to_string());
        }
    }
    let objects = manifests.documents.len() - set.passed_over.len();
    if problems.is_empty() && objects == 0 {
        problems.push(NO_OBJECT.to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Input(problems.join("\nerror: "))) }
}

/// A command before it that failed leaves an empty file or pipe: a review of nothing proves nothing.
const NO_OBJECT: &str = "failed to find a Kubernetes object in the files; if another program writes \
                         them, see whether it failed";

/// The default namespace of objects that do not set one.
const NAMESPACE: &str = "default";

/// The severity of a denial.
const DENIAL: Severity = Severity::Error;
