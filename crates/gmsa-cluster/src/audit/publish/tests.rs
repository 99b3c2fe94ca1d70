use gmsa_core::finding::Code;
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::policy_report::{FORMS, report};
use super::{MOST, Report, Scope, without_contents};
use crate::audit::{Audit, Finding, Object};

fn audit(count: usize) -> Audit {
    let findings = (0..count)
        .map(|index| {
            let object = Object::namespaced("Pod", "shop", &format!("web-{index}"));
            let long = "service account \"web\" may not use it, ".repeat(10);
            let finding = Finding::new(&object, Code::PodWithoutRight, format!("{index}: {long}"));
            finding.with_evidence(vec![long; 20])
        })
        .collect();
    Audit { findings, pods: count, ..Audit::default() }
}

fn time() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

#[test]
fn stored_results_are_bounded_and_count_what_is_left_out() {
    let audit = audit(5_000);
    let kept = Report::new(&audit, &Scope::default(), time()).within(MOST);
    let length = serde_json::to_string_pretty(&kept).unwrap().len();
    assert!((MOST / 2..1_000_000).contains(&length), "{length}");
    assert!(kept.left_out > 1_000);
    assert_eq!(kept.findings.len() + kept.left_out, 5_000);
    assert_eq!(kept.summary.errors, 5_000);
    assert!(kept.findings[0].message.starts_with("0: "), "the first are kept");

    let findings: Vec<&Finding> = audit.findings.iter().collect();
    let (report, left_out) = report(&FORMS[0], Some("shop"), &findings, None, time());
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len() - 1 + left_out, 5_000);
    assert!(report.to_string().len() < 1_000_000);
    assert_eq!(
        report["summary"],
        json!({"pass": 0, "fail": 5000, "warn": 0, "error": 0, "skip": 1})
    );
    let last = results.last().unwrap();
    assert_eq!(last["rule"], "left-out");
    assert!(last["message"].as_str().unwrap().starts_with(&format!("{left_out} further findings")));
}

#[test]
fn short_lists_are_kept_whole() {
    let kept = Report::new(&audit(3), &Scope::default(), time()).within(MOST);
    assert_eq!((kept.findings.len(), kept.left_out), (3, 0));
    for (form, kind) in FORMS.iter().zip(["ClusterReport", "ClusterPolicyReport"]) {
        let (report, left_out) = report(form, None, &[], None, time());
        assert_eq!((left_out, report["kind"].as_str()), (0, Some(kind)));
        assert_eq!(report["results"], json!([]));
    }
}

#[test]
fn nothing_of_the_contents_of_credential_specs_is_kept() {
    let spec = Object::cluster("GMSACredentialSpec", "web");
    let quoted = "Sid \"S-1-5-21-1-2-3-1104\" is an account's".to_owned();
    let mut audit = audit(1);
    audit.findings.push(
        Finding::new(&spec, Code::SidNotDomain, quoted)
            .with_evidence(vec!["credspec.DomainJoinConfig.Sid".to_owned()]),
    );
    let kept = without_contents(&audit);
    assert_eq!(kept.findings[0], audit.findings[0]);
    assert!(!format!("{kept:?}").contains("S-1-5-21-1"), "{kept:?}");
    assert_eq!(kept.findings[1].evidence, audit.findings[1].evidence);
}
