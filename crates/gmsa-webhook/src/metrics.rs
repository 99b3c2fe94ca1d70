//! Metrics in the Prometheus text format (OpenMetrics 1.0), and the list that documents them.

mod catalogue;
mod process;

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use gmsa_cluster::audit::Counts;
use gmsa_cluster::cache::Observer;
use gmsa_cluster::index::{self, State};
use gmsa_core::finding::Severity;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

pub use catalogue::{METRICS, MetricDoc, metrics_page};

use crate::http::Endpoint;

/// The content type of the metrics page.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The bounds of the duration buckets, in seconds: 100 µs to 10 s.
const BUCKETS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AdmissionLabels {
    endpoint: &'static str,
    operation: &'static str,
    decision: &'static str,
    code: u32,
}

impl AdmissionLabels {
    /// A pod that is created and admitted.
    fn usual(endpoint: Endpoint) -> Self {
        Self { endpoint: endpoint.as_str(), operation: "create", decision: "allowed", code: 200 }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndpointLabels {
    endpoint: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReviewLabels {
    result: &'static str,
    source: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SeverityLabels {
    severity: &'static str,
}

/// A metric that is exported only once it has a value.
type Optional<M> = Family<[(&'static str, &'static str); 0], M>;

/// The metrics of the index, which only some servers keep.
#[derive(Debug)]
struct IndexMetrics {
    entries: Optional<Gauge>,
    bytes: Optional<Gauge>,
    left_out: Optional<Gauge>,
    behind: Optional<Gauge<f64, AtomicU64>>,
    lag: Optional<Histogram>,
    writes: Family<ResultLabels, Counter>,
}

impl IndexMetrics {
    fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            entries: Family::default(),
            bytes: Family::default(),
            left_out: Family::default(),
            behind: Family::default(),
            lag: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            writes: Family::default(),
        };
        register(registry, "gmsa_index_entries", &metrics.entries);
        register(registry, "gmsa_index_bytes", &metrics.bytes);
        register(registry, "gmsa_index_left_out", &metrics.left_out);
        register(registry, "gmsa_index_behind_seconds", &metrics.behind);
        register(registry, "gmsa_index_lag_seconds", &metrics.lag);
        register(registry, "gmsa_index_writes", &metrics.writes);
        metrics
    }
}

/// What became of an admission request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was admitted.
    Allowed,
    /// It was denied.
    Denied,
    /// It was refused as it asks, by `install`, `doctor` or `--check`: no pod was wanted.
    Probed,
    /// It was admitted with an early warning.
    Warned,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Probed => "probed",
            Self::Warned => "warned",
        }
    }
}

/// All metrics of the server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<AdmissionLabels, Counter>,
    durations: Family<EndpointLabels, Histogram>,
    mutate_seconds: Histogram,
    validate_seconds: Histogram,
    reviews: Family<ReviewLabels, Counter>,
    credspecs: Gauge,
    sync_age: Gauge<f64, AtomicU64>,
    live_mode: Gauge,
    rejected: Gauge<f64, AtomicU64>,
    expiry: Gauge,
    rotations: Family<ResultLabels, Counter>,
    audit_findings: Family<SeverityLabels, Gauge>,
    // Without labels, but exported only with --audit-results.
    audit_time: Optional<Gauge>,
    index: IndexMetrics,
    in_flight_gauge: Gauge,
    in_flight: Arc<AtomicUsize>,
    // The counters of nearly every request, so that they need no look-up by label.
    mutated: Counter,
    validated: Counter,
    cached: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers every metric.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let durations =
            Family::<EndpointLabels, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let seconds = |endpoint: Endpoint| {
            durations.get_or_create(&EndpointLabels { endpoint: endpoint.as_str() }).clone()
        };
        let requests = Family::<AdmissionLabels, Counter>::default();
        let reviews = Family::<ReviewLabels, Counter>::default();
        let admitted =
            |endpoint: Endpoint| requests.get_or_create(&AdmissionLabels::usual(endpoint)).clone();
        let cached = ReviewLabels { result: "allowed", source: "cache" };
        let cached = reviews.get_or_create(&cached).clone();
        let (mutated, validated) = (admitted(Endpoint::Mutate), admitted(Endpoint::Validate));
        let metrics = Self {
            mutated,
            validated,
            cached,
            requests,
            mutate_seconds: seconds(Endpoint::Mutate),
            validate_seconds: seconds(Endpoint::Validate),
            durations: durations.clone(),
            reviews,
            credspecs: Gauge::default(),
            sync_age: Gauge::default(),
            live_mode: Gauge::default(),
            rejected: Gauge::default(),
            expiry: Gauge::default(),
            rotations: Family::default(),
            audit_findings: Family::default(),
            audit_time: Family::default(),
            index: IndexMetrics::new(&mut registry),
            in_flight_gauge: Gauge::default(),
            in_flight: Arc::new(AtomicUsize::new(0)),
            registry: Registry::default(),
        };
        // A rate over a label that was never seen is absent; these start at zero.
        for result in ["success", "failed"] {
            drop(metrics.rotations.get_or_create(&ResultLabels { result }));
        }
        for (result, source) in [("allowed", "live"), ("denied", "live"), ("error", "live")] {
            drop(metrics.reviews.get_or_create(&ReviewLabels { result, source }));
        }
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        register(&mut registry, "gmsa_admission_requests", &metrics.requests);
        register(&mut registry, "gmsa_admission_duration_seconds", &durations);
        register(&mut registry, "gmsa_access_reviews", &metrics.reviews);
        register(&mut registry, "gmsa_credspecs", &metrics.credspecs);
        register(&mut registry, "gmsa_credspec_sync_age_seconds", &metrics.sync_age);
        register(&mut registry, "gmsa_credspec_live_mode", &metrics.live_mode);
        register(&mut registry, "gmsa_token_rejected_seconds", &metrics.rejected);
        register(&mut registry, "gmsa_certificate_expiry_timestamp_seconds", &metrics.expiry);
        register(&mut registry, "gmsa_certificate_rotations", &metrics.rotations);
        register(&mut registry, "gmsa_audit_findings", &metrics.audit_findings);
        register(&mut registry, "gmsa_audit_timestamp_seconds", &metrics.audit_time);
        register(&mut registry, "gmsa_inflight_requests", &metrics.in_flight_gauge);
        registry.register("gmsa_build", catalogue::help("gmsa_build"), build);
        registry.register_collector(Box::new(process::Process));
        Self { registry, ..metrics }
    }

    /// Counts one admission request.
    pub fn admission(
        &self,
        endpoint: Endpoint,
        operation: &str,
        outcome: Outcome,
        code: u16,
        seconds: f64,
    ) {
        let usual = outcome == Outcome::Allowed && operation == "CREATE";
        match endpoint {
            Endpoint::Mutate => self.mutate_seconds.observe(seconds),
            Endpoint::Validate => self.validate_seconds.observe(seconds),
            _ => self.observe(endpoint, seconds),
        }
        match endpoint {
            Endpoint::Mutate if usual => drop(self.mutated.inc()),
            Endpoint::Validate if usual => drop(self.validated.inc()),
            _ => self.count(endpoint, operation, outcome, code),
        }
    }

    /// Counts one request that is answered with warnings, or without any.
    pub fn warning(&self, endpoint: Endpoint, operation: &str, warned: bool, seconds: f64) {
        self.observe(endpoint, seconds);
        let outcome = if warned { Outcome::Warned } else { Outcome::Allowed };
        self.count(endpoint, operation, outcome, 200);
    }

    fn observe(&self, endpoint: Endpoint, seconds: f64) {
        let labels = EndpointLabels { endpoint: endpoint.as_str() };
        self.durations.get_or_create(&labels).observe(seconds);
    }

    fn count(&self, endpoint: Endpoint, operation: &str, outcome: Outcome, code: u16) {
        let operation = match operation {
            "CREATE" => "create",
            "UPDATE" => "update",
            "DELETE" => "delete",
            "CONNECT" => "connect",
            _ => "other",
        };
        let labels = AdmissionLabels {
            endpoint: endpoint.as_str(),
            operation,
            decision: outcome.as_str(),
            code: code.into(),
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// Records the state of the store: how many credential specs it has, how long ago the API server
    /// was last heard, and whether watching is forbidden.
    pub fn store(&self, known: usize, age: Option<Duration>, live_mode: bool) {
        self.credspecs.set(i64::try_from(known).unwrap_or(i64::MAX));
        self.sync_age.set(age.map_or(f64::NAN, |age| age.as_secs_f64()));
        self.live_mode.set(live_mode.into());
    }

    /// Records for how long the API server has been rejecting the server's token.
    pub fn rejected(&self, rejected: Duration) {
        self.rejected.set(rejected.as_secs_f64());
    }

    /// Records when the serving certificate expires, in seconds since 1970.
    pub fn certificate_loaded(&self, expiry: i64) {
        self.expiry.set(expiry);
    }

    /// Counts a change of the serving certificate that was adopted, or one that was refused.
    pub fn certificate_rotated(&self, success: bool) {
        let result = if success { "success" } else { "failed" };
        self.rotations.get_or_create(&ResultLabels { result }).inc();
    }

    /// Records the counts of the last audit; without one, no findings are exported.
    pub fn audited(&self, counts: Option<Counts>) {
        self.audit_time.get_or_create(&[]).set(counts.map_or(0, |counts| counts.time));
        let Some(counts) = counts else {
            self.audit_findings.clear();
            return;
        };
        for (severity, count) in [
            (Severity::Error, counts.errors),
            (Severity::Warning, counts.warnings),
            (Severity::Info, counts.infos),
        ] {
            let labels = SeverityLabels { severity: severity.as_str() };
            self.audit_findings.get_or_create(&labels).set(count.into());
        }
    }

    /// Records the state of the index.
    pub fn index(&self, state: State) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let index = &self.index;
        index.entries.get_or_create(&[]).set(gauge(state.entries));
        index.bytes.get_or_create(&[]).set(gauge(state.bytes));
        index.left_out.get_or_create(&[]).set(gauge(state.left_out));
        index.behind.get_or_create(&[]).set(state.behind.as_secs_f64());
        // A rate over a label that was never seen is absent; these start at zero.
        drop(index.lag.get_or_create(&[]));
        for result in ["success", "failed"] {
            drop(index.writes.get_or_create(&ResultLabels { result }));
        }
    }

    /// The number of admission requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.in_flight)
    }

    /// The metrics page.
    #[must_use]
    pub fn render(&self) -> String {
        let in_flight = self.in_flight.load(Ordering::Acquire);
        self.in_flight_gauge.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        let mut page = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

impl Observer for Metrics {
    fn access_review(&self, result: &'static str, source: &'static str) {
        if (result, source) == ("allowed", "cache") {
            self.cached.inc();
        } else {
            self.reviews.get_or_create(&ReviewLabels { result, source }).inc();
        }
    }
}

impl index::Observer for Metrics {
    fn in_index(&self, lag: Duration) {
        self.index.lag.get_or_create(&[]).observe(lag.as_secs_f64());
    }

    fn wrote(&self, success: bool) {
        let result = if success { "success" } else { "failed" };
        self.index.writes.get_or_create(&ResultLabels { result }).inc();
    }
}

fn register<M: Metric + Clone>(registry: &mut Registry, name: &str, metric: &M) {
    registry.register(name, catalogue::help(name), metric.clone());
}

#[cfg(test)]
mod tests;
