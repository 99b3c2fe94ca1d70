//! What each metric means. docs/metrics.md is generated from this list, and a test compares it with
//! the server's output.

use std::fmt::Write as _;

/// The documentation of one metric.
#[derive(Clone, Copy, Debug)]
pub struct MetricDoc {
    /// The name as it is scraped, without the suffixes of a histogram.
    pub name: &'static str,
    /// `counter`, `gauge`, `histogram` or `info`.
    pub kind: &'static str,
    /// The labels.
    pub labels: &'static [&'static str],
    /// Its meaning, in one sentence.
    pub help: &'static str,
}

const fn doc(
    name: &'static str,
    kind: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> MetricDoc {
    MetricDoc { name, kind, labels, help }
}

/// Every metric.
pub const METRICS: &[MetricDoc] = &[
    doc(
        "gmsa_admission_requests_total",
        "counter",
        &["endpoint", "operation", "decision", "code"],
        "Admission requests answered; code is 200 for an admission and the denial's code otherwise; decision is allowed, denied, warned (allowed with an early warning), or probed (refused, as install, doctor and --check ask for by a dry run)",
    ),
    doc(
        "gmsa_admission_duration_seconds",
        "histogram",
        &["endpoint"],
        "Time from the complete body to the answer",
    ),
    doc(
        "gmsa_access_reviews_total",
        "counter",
        &["result", "source"],
        "Access reviews for the right to use a credential spec; source is cache, shared (joined a review in flight) or live",
    ),
    doc("gmsa_credspecs", "gauge", &[], "Credential specs in the store"),
    doc(
        "gmsa_credspec_sync_age_seconds",
        "gauge",
        &[],
        "Seconds since the store last heard from the API server; NaN before the first time; over 60 the store is stale, and reads are live",
    ),
    doc(
        "gmsa_credspec_live_mode",
        "gauge",
        &[],
        "1 if watching credential specs is forbidden, so that each is read live",
    ),
    doc(
        "gmsa_token_rejected_seconds",
        "gauge",
        &[],
        "For how long every answer of the API server to this replica has been 401 (Unauthorized), in seconds; from 30 on it is not ready",
    ),
    doc(
        "gmsa_certificate_expiry_timestamp_seconds",
        "gauge",
        &[],
        "When the serving certificate expires, in seconds since 1970",
    ),
    doc(
        "gmsa_certificate_rotations_total",
        "counter",
        &["result"],
        "Changes of the serving certificate; failed is one that was refused, so that the last good one stays in use",
    ),
    doc(
        "gmsa_audit_findings",
        "gauge",
        &["severity"],
        "Findings of the last audit, with --audit-results; severity is error, warning or info",
    ),
    doc(
        "gmsa_audit_timestamp_seconds",
        "gauge",
        &[],
        "When the last complete audit ended, in seconds since 1970, with --audit-results; 0 without one",
    ),
    doc(
        "gmsa_index_entries",
        "gauge",
        &[],
        "Credential specs in the index that admission policies read, with --index",
    ),
    doc(
        "gmsa_index_bytes",
        "gauge",
        &[],
        "Size of the index in bytes of JSON, with --index; what would be over 1400000 is left out",
    ),
    doc(
        "gmsa_index_left_out",
        "gauge",
        &[],
        "Credential specs that are not in the index because they do not fit, with --index; pods that name them are denied",
    ),
    doc(
        "gmsa_index_behind_seconds",
        "gauge",
        &[],
        "For how long a change of a credential spec has been waiting to be in the index, with --index; 0 if none is",
    ),
    doc(
        "gmsa_index_lag_seconds",
        "histogram",
        &[],
        "Time from the change of a credential spec, as this replica saw it, to the index that has it, with --index",
    ),
    doc(
        "gmsa_index_writes_total",
        "counter",
        &["result"],
        "Writes of the index by this replica, with --index; failed is one that is tried again",
    ),
    doc("gmsa_inflight_requests", "gauge", &[], "Admission requests in flight"),
    doc("gmsa_build_info", "info", &["version"], "The version of the server"),
    doc("process_cpu_seconds_total", "counter", &[], "User and system CPU time spent in seconds"),
    doc("process_resident_memory_bytes", "gauge", &[], "Resident memory size in bytes"),
    doc("process_virtual_memory_bytes", "gauge", &[], "Virtual memory size in bytes"),
    doc("process_open_fds", "gauge", &[], "Number of open file descriptors"),
    doc("process_max_fds", "gauge", &[], "Maximum number of open file descriptors"),
    doc("process_threads", "gauge", &[], "Number of threads"),
    doc(
        "process_start_time_seconds",
        "gauge",
        &[],
        "Start time of the process in seconds since 1970",
    ),
];

/// The help of a metric by the name under which it is registered, which lacks the suffix.
pub(super) fn help(registered: &str) -> &'static str {
    METRICS
        .iter()
        .find(|doc| {
            let suffix = doc.name.strip_prefix(registered);
            matches!(suffix, Some("" | "_total" | "_info"))
        })
        .map_or("", |doc| doc.help)
}

/// Renders docs/metrics.md.
#[must_use]
pub fn metrics_page() -> String {
    let mut page = String::from(
        "# Metrics\n\n<!-- Generated by `cargo xtask generate`. -->\n\n\
         You want to watch the webhook: scrape `/metrics` on the metrics port (9443, plain HTTP); you \
         see these metrics as OpenMetrics text. Alerts are in [runbooks](runbooks.md).\n\n\
         | metric | type | labels | meaning |\n|---|---|---|---|\n",
    );
    for doc in METRICS {
        let labels: Vec<String> = doc.labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {}. |",
            doc.name,
            doc.kind,
            labels.join(" "),
            doc.help
        );
    }
    page
}
