//! The credential specs.

use gmsa_cluster::api::value::text;
use gmsa_core::credspec::lint;
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::{CREDSPEC_FINDINGS, CREDSPEC_PRESENT};
use gmsa_core::finding::Severity;
use serde_json::Value;

use super::facts::Seen;

/// Judges those that are of interest.
pub fn judge(all: &Seen<Option<Vec<Value>>>, specs: &[&Value]) -> Vec<Outcome> {
    let mut outcomes = vec![match all {
        Err(why) => Outcome::unknown(&CREDSPEC_PRESENT, why),
        Ok(None) => Outcome::skipped(&CREDSPEC_PRESENT, "the cluster does not know the kind"),
        Ok(Some(all)) if all.is_empty() => {
            Outcome::warning(&CREDSPEC_PRESENT, "the cluster has no credential spec")
        }
        Ok(Some(all)) => Outcome::ok(&CREDSPEC_PRESENT, format!("there are {}", all.len())),
    }];
    outcomes.extend(specs.iter().map(|spec| one(spec)));
    outcomes
}

fn one(spec: &Value) -> Outcome {
    let name = text(spec, "/metadata/name");
    let mut findings = lint(name, spec);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    let worst = findings.first().map(|finding| (finding.severity(), finding.message.clone()));
    let outcome = match worst {
        Some((Severity::Error, message)) => Outcome::problem(&CREDSPEC_FINDINGS, message),
        Some((Severity::Warning, message)) => Outcome::warning(&CREDSPEC_FINDINGS, message),
        Some((Severity::Info, _)) | None => Outcome::ok(&CREDSPEC_FINDINGS, "it is sound"),
    };
    let lines = findings.iter().map(|finding| {
        let (severity, code) = (finding.severity(), finding.code);
        format!("{severity} {code}: {} -> {}", finding.message, code.remedy())
    });
    lines.fold(outcome, Outcome::because).on(format!("GMSACredentialSpec {name}"))
}
