use super::super::State;
use super::super::metrics::Page;
use super::{Replica, checks, metrics};

const PAGE: &str = "\
# HELP gmsa_build The version.
# TYPE gmsa_build info
gmsa_build_info{version=\"0.1.0\"} 1
gmsa_admission_requests_total{endpoint=\"mutate\",operation=\"create\",decision=\"allowed\",code=\"200\"} 7
gmsa_admission_requests_total{endpoint=\"mutate\",operation=\"create\",decision=\"denied\",code=\"403\"} 2
gmsa_admission_requests_total{endpoint=\"validate\",operation=\"create\",decision=\"denied\",code=\"403\"} 3
gmsa_credspecs 4
gmsa_credspec_sync_age_seconds 1.5
gmsa_credspec_live_mode 0
gmsa_certificate_expiry_timestamp_seconds 1800000000
# EOF
";

fn replica(page: &str) -> Replica {
    match metrics(&Page::read(page)) {
        Ok(metrics) => Replica {
            pod: "a".to_owned(),
            ready: true,
            metrics: Some(metrics),
            pending: None,
            problem: None,
        },
        Err(problem) => Replica {
            pod: "b".to_owned(),
            ready: true,
            metrics: None,
            pending: None,
            problem: Some(problem),
        },
    }
}

fn seen(replicas: Vec<Replica>) -> Vec<(&'static str, State, String)> {
    let checks = checks(&Ok(replicas)).into_iter();
    checks.map(|check| (check.id, check.state, check.message)).collect()
}

#[test]
fn what_replicas_say_is_added_up() {
    let seen = seen(vec![replica(PAGE), replica(PAGE)]);
    let expected = [
        ("versions", State::Ok, "0.1.0 (2 replicas)"),
        ("sync", State::Ok, "the API server was last heard of 1 s ago; 4 credential specs known"),
        ("denials", State::Ok, "10 with code 403, and 14 admissions, since the replicas started"),
    ];
    let expected = expected.map(|(id, state, message)| (id, state, message.to_owned()));
    assert_eq!(seen, expected);
    let first = replica(PAGE).metrics.unwrap();
    assert_eq!(first.certificate_expires.as_deref(), Some("2027-01-15T08:00:00Z"));
}

#[test]
fn what_is_wrong_with_one_replica_is_seen() {
    for (what, becomes, id) in [
        ("0.1.0", "0.2.0", "versions"),
        ("age_seconds 1.5", "age_seconds NaN", "sync"),
        ("age_seconds 1.5", "age_seconds 61", "sync"),
        ("live_mode 0", "live_mode 1", "sync"),
        ("code=\"403\"} 3", "code=\"504\"} 3", "denials"),
        ("gmsa_build_info", "other_build_info", "metrics"),
    ] {
        let other = PAGE.replace(what, becomes);
        let states = seen(vec![replica(PAGE), replica(&other)]);
        let warned: Vec<_> =
            states.iter().filter(|one| one.1 == State::Warning).map(|one| one.0).collect();
        assert_eq!(warned, [id], "{becomes}: {states:?}");
    }
}

#[test]
fn without_any_replica_that_answers_nothing_else_is_said() {
    let seen = seen(vec![replica("<html>")]);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].2.contains("b: it answers, but not with"), "{seen:?}");
}
