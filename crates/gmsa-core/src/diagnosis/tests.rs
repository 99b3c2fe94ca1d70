use std::collections::BTreeSet;

use super::catalogue::cluster::{
    ADMISSION_ANSWERS, CLOCK_SKEW, CRD_PRESENT, CRD_VERSIONS, CREDSPEC_FINDINGS, NODE_BUILD,
    WEBHOOK_CA_BUNDLE, WEBHOOK_CERTIFICATE, WEBHOOK_ENDPOINTS, WEBHOOK_REPLICAS, WEBHOOK_TIMEOUT,
};
use super::*;

fn causes(outcomes: &[Outcome]) -> Vec<(&'static str, Vec<&'static str>)> {
    let verdict = Verdict::of(outcomes);
    let ids = |cause: &Cause<'_>| cause.consequences.iter().map(|one| one.check.id).collect();
    verdict.causes.iter().map(|cause| (cause.outcome.check.id, ids(cause))).collect()
}

#[test]
fn ids_are_unique_and_every_explained_check_exists_and_comes_later() {
    let ids: Vec<&str> = all().map(|check| check.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    for (place, check) in all().enumerate() {
        assert_eq!(find(check.id), Some(check));
        let kebab = |character: char| character.is_ascii_lowercase() || character == '-';
        assert!(check.id.chars().all(kebab), "{}", check.id);
        for explained in check.explains {
            let other = ids.iter().position(|id| id == explained);
            // So there are no circles.
            assert!(other.is_some_and(|other| other > place), "{} explains {explained}", check.id);
        }
    }
}

#[test]
fn texts_are_sentences_and_sources_are_links() {
    for check in all() {
        assert!(!check.title.ends_with('.'), "{}", check.id);
        for text in [check.cause, check.remedy] {
            assert!(text.ends_with('.') && !text.contains('\n'), "{}: {text}", check.id);
            assert_eq!(text.matches('`').count() % 2, 0, "{}: {text}", check.id);
        }
        let source = check.source;
        assert!(source.starts_with("https://") || source.starts_with("docs/"), "{source}");
    }
}

#[test]
fn nothing_wrong_is_healthy_and_unknown_checks_are_counted() {
    let outcomes = [Outcome::ok(&CRD_PRESENT, "there"), Outcome::skipped(&NODE_BUILD, "no node")];
    let verdict = Verdict::of(&outcomes);
    assert_eq!((verdict.health, verdict.causes.len()), (Health::Healthy, 0));
    let outcomes = [Outcome::ok(&CRD_PRESENT, "there"), Outcome::unknown(&NODE_BUILD, "forbidden")];
    let verdict = Verdict::of(&outcomes);
    assert_eq!((verdict.health, verdict.unknown.len()), (Health::Undecided, 1));
    assert_eq!(Verdict::of(&[]).health, Health::Healthy);
}

#[test]
fn the_root_cause_comes_first_whatever_the_order_of_the_outcomes() {
    let mut outcomes = vec![
        Outcome::problem(&ADMISSION_ANSWERS, "timeout"),
        Outcome::problem(&WEBHOOK_ENDPOINTS, "none"),
        Outcome::problem(&WEBHOOK_REPLICAS, "0 of 2"),
        Outcome::ok(&CRD_PRESENT, "there"),
    ];
    let expected = vec![("webhook-replicas", vec!["webhook-endpoints", "admission-answers"])];
    for _ in 0..outcomes.len() {
        assert_eq!(causes(&outcomes), expected);
        outcomes.rotate_left(1);
    }
    assert_eq!(Verdict::of(&outcomes).health, Health::Broken);
}

#[test]
fn a_cause_is_found_by_way_of_checks_that_are_well() {
    // The definition explains the replicas, which explain the endpoints.
    let outcomes = [
        Outcome::problem(&WEBHOOK_ENDPOINTS, "none"),
        Outcome::ok(&WEBHOOK_REPLICAS, "2 of 2"),
        Outcome::problem(&CRD_PRESENT, "missing"),
    ];
    assert_eq!(causes(&outcomes), [("crd-present", vec!["webhook-endpoints"])]);
}

#[test]
fn two_that_have_nothing_to_do_with_each_other_are_two_causes() {
    let outcomes = [
        Outcome::problem(&ADMISSION_ANSWERS, "x509"),
        Outcome::problem(&CREDSPEC_FINDINGS, "sid"),
        Outcome::problem(&WEBHOOK_CA_BUNDLE, "another"),
        Outcome::problem(&WEBHOOK_CERTIFICATE, "expired"),
    ];
    assert_eq!(
        causes(&outcomes),
        [
            ("webhook-certificate", vec!["admission-answers"]),
            ("webhook-ca-bundle", vec![]),
            ("credspec-findings", vec![]),
        ]
    );
}

#[test]
fn what_does_not_work_comes_before_a_warning() {
    let outcomes =
        [Outcome::warning(&CLOCK_SKEW, "2 minutes"), Outcome::problem(&CREDSPEC_FINDINGS, "sid")];
    assert_eq!(causes(&outcomes), [("credspec-findings", vec![]), ("clock-skew", vec![])]);
    assert_eq!(Verdict::of(&outcomes[..1]).health, Health::Troubled);
}

#[test]
fn a_suspicion_is_confirmed_by_what_it_explains_and_a_risk_explains_nothing() {
    let suspicion = Outcome::warning(&WEBHOOK_TIMEOUT, "1 s").sure(Confidence::Possible);
    let outcomes = [Outcome::problem(&ADMISSION_ANSWERS, "timeout"), suspicion.clone()];
    let verdict = Verdict::of(&outcomes);
    assert_eq!(causes(&outcomes), [("webhook-timeout", vec!["admission-answers"])]);
    assert_eq!(verdict.causes[0].confidence, Confidence::Likely);
    assert_eq!(verdict.health, Health::Broken);

    let risk = suspicion.sure(Confidence::Certain);
    let outcomes = [Outcome::problem(&ADMISSION_ANSWERS, "timeout"), risk];
    assert_eq!(causes(&outcomes), [("admission-answers", vec![]), ("webhook-timeout", vec![])]);
}

#[test]
fn the_next_step_is_the_outcomes_own_or_that_of_the_check() {
    let outcome = Outcome::problem(&CRD_VERSIONS, "v1 is not stored");
    assert_eq!(outcome.next_step(), CRD_VERSIONS.remedy);
    assert_eq!(outcome.then("do this").next_step(), "do this");
    assert_eq!(Outcome::ok(&CRD_VERSIONS, "served").next_step(), "");
}

#[test]
fn the_trouble_of_one_account_is_not_that_of_another() {
    let account = find("directory-account").unwrap();
    let retrieval = find("directory-retrieval").unwrap();
    let outcomes = [
        Outcome::problem(account, "it is disabled").on("account Disabled"),
        Outcome::problem(retrieval, "nobody may").on("account Disabled"),
        Outcome::problem(retrieval, "a node may not").on("account Other"),
        Outcome::problem(find("pod-ticket").unwrap(), "it gets no ticket").on("Pod web/iis"),
    ];
    let verdict = Verdict::of(&outcomes);
    let causes: Vec<_> = verdict
        .causes
        .iter()
        .map(|cause| (cause.outcome.message.as_str(), cause.consequences.len()))
        .collect();
    assert_eq!(causes, [("it is disabled", 2), ("a node may not", 0)]);
}
