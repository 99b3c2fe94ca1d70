use std::collections::BTreeSet;

use gmsa_cluster::audit::Counts;
use gmsa_cluster::cache::Observer as _;
use gmsa_cluster::index::{Observer as _, State};

use super::{METRICS, Metrics, Outcome, metrics_page};
use crate::http::Endpoint;

/// Every family that a scrape shows, by its `# TYPE` line, with the suffix that samples carry.
fn families(page: &str) -> BTreeSet<(String, String)> {
    page.lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| {
            let (name, kind) = line.split_once(' ').unwrap();
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            (format!("{name}{suffix}"), kind.to_owned())
        })
        .collect()
}

#[test]
fn the_list_is_what_a_scrape_shows() {
    let metrics = Metrics::new();
    metrics.admission(Endpoint::Mutate, "CREATE", Outcome::Allowed, 200, 0.001);
    metrics.access_review("allowed", "shared");
    metrics.audited(Some(Counts { errors: 1, warnings: 0, infos: 0, time: 1 }));
    metrics.index(State::default());
    let page = metrics.render();
    let documented: BTreeSet<(String, String)> =
        METRICS.iter().map(|doc| (doc.name.to_owned(), doc.kind.to_owned())).collect();
    assert_eq!(families(&page), documented, "{page}");
    for doc in METRICS.iter().filter(|doc| !doc.labels.is_empty()) {
        let sample = page.lines().find(|line| line.starts_with(doc.name)).unwrap();
        for label in doc.labels {
            assert!(sample.contains(&format!("{label}=\"")), "{sample} lacks {label}");
        }
    }
}

#[test]
fn samples_count_what_happened() {
    let metrics = Metrics::new();
    metrics.admission(Endpoint::Validate, "CREATE", Outcome::Denied, 403, 0.2);
    metrics.admission(Endpoint::Mutate, "CREATE", Outcome::Probed, 422, 0.2);
    metrics.admission(Endpoint::Validate, "no such", Outcome::Allowed, 200, 0.2);
    metrics.warning(Endpoint::Warn, "UPDATE", true, 0.2);
    metrics.warning(Endpoint::ValidateCredspec, "DELETE", false, 0.2);
    metrics.store(7, None, true);
    metrics.certificate_loaded(1_900_000_000);
    metrics.certificate_rotated(false);
    let page = metrics.render();
    for sample in [
        r#"gmsa_admission_requests_total{endpoint="validate",operation="create",decision="denied",code="403"} 1"#,
        r#"gmsa_admission_requests_total{endpoint="validate",operation="other",decision="allowed",code="200"} 1"#,
        r#"gmsa_admission_requests_total{endpoint="mutate",operation="create",decision="probed",code="422"} 1"#,
        r#"gmsa_admission_duration_seconds_count{endpoint="validate"} 2"#,
        r#"gmsa_admission_duration_seconds_bucket{le="0.25",endpoint="validate"} 2"#,
        r#"gmsa_admission_requests_total{endpoint="warn",operation="update",decision="warned",code="200"} 1"#,
        r#"gmsa_admission_requests_total{endpoint="validate-credspec",operation="delete",decision="allowed",code="200"} 1"#,
        r#"gmsa_admission_duration_seconds_count{endpoint="warn"} 1"#,
        "gmsa_credspecs 7",
        "gmsa_credspec_live_mode 1",
        "gmsa_certificate_expiry_timestamp_seconds 1900000000",
        r#"gmsa_certificate_rotations_total{result="failed"} 1"#,
    ] {
        assert!(page.lines().any(|line| line == sample), "{sample} is not in\n{page}");
    }
    let memory = page.lines().find(|line| line.starts_with("process_resident_memory_bytes"));
    let bytes: f64 = memory.unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    assert!(bytes > 1e6, "{bytes}");
}

#[test]
fn the_page_in_the_documentation_is_generated() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let file = std::fs::read_to_string(path).unwrap();
    assert!(file == metrics_page(), "run `cargo xtask generate`");
}

#[test]
fn the_index_is_shown_where_it_is_kept() {
    let metrics = Metrics::new();
    assert!(!metrics.render().contains("gmsa_index_bytes{"), "nobody keeps it");
    let behind = std::time::Duration::from_millis(1_500);
    metrics.index(State { entries: 3, bytes: 700, left_out: 2, behind });
    metrics.in_index(std::time::Duration::from_millis(30));
    metrics.wrote(true);
    let page = metrics.render();
    for line in [
        "gmsa_index_entries{} 3",
        "gmsa_index_bytes{} 700",
        "gmsa_index_left_out{} 2",
        "gmsa_index_behind_seconds{} 1.5",
        r#"gmsa_index_lag_seconds_bucket{le="0.025"} 0"#,
        r#"gmsa_index_lag_seconds_bucket{le="0.05"} 1"#,
        r#"gmsa_index_writes_total{result="success"} 1"#,
        r#"gmsa_index_writes_total{result="failed"} 0"#,
    ] {
        assert!(page.lines().any(|one| one == line), "{line}\n{page}");
    }
}

#[test]
fn an_audit_is_shown_while_there_is_one() {
    let metrics = Metrics::new();
    assert!(!metrics.render().contains("gmsa_audit_findings{"));
    assert!(!metrics.render().contains("gmsa_audit_timestamp_seconds{"), "nobody keeps results");
    metrics.audited(Some(Counts { errors: 2, warnings: 3, infos: 0, time: 1_767_323_045 }));
    let page = metrics.render();
    for line in [
        r#"gmsa_audit_findings{severity="error"} 2"#,
        r#"gmsa_audit_findings{severity="warning"} 3"#,
        r#"gmsa_audit_findings{severity="info"} 0"#,
        "gmsa_audit_timestamp_seconds{} 1767323045",
    ] {
        assert!(page.lines().any(|one| one == line), "{line}\n{page}");
    }
    metrics.audited(None);
    let page = metrics.render();
    assert!(
        !page.contains("gmsa_audit_findings{")
            && page.contains("gmsa_audit_timestamp_seconds{} 0\n"),
        "{page}"
    );
}
