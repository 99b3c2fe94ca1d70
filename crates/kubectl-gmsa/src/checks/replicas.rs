//! The state of each replica: its metrics, read through the API server.

use std::collections::BTreeMap;
use std::time::Duration;

use gmsa_cluster::api::answer;
use gmsa_cluster::api::client::why;
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::{
    WEBHOOK_DENIALS, WEBHOOK_METRICS, WEBHOOK_SYNC, WEBHOOK_VERSIONS,
};
use gmsa_core::names::METRICS_PORT;
use gmsa_core::printable::counted;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, GetParams, ListParams, Request};
use kube::{Client, ResourceExt as _};
use schemars::JsonSchema;
use serde::Serialize;

use super::metrics::Page;
use crate::installation::pods;

/// How long one replica may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// From this age on the store is not trusted (contract of the metric), in seconds.
const OLD: u64 = 60;
/// Codes of denials because the server could not decide.
const UNDECIDED: [&str; 3] = ["429", "500", "504"];

/// One replica.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replica {
    /// The pod.
    pub pod: String,
    /// Whether the pod is ready.
    pub ready: bool,
    /// The values of its metrics; absent if they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// Why it has no address yet, so that it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    /// Why the metrics could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The values of a replica's metrics.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// The version of the server.
    pub version: String,
    /// How many credential specs it knows.
    pub credential_specs: u64,
    /// How long ago it last heard of credential specs from the API server, in seconds; absent if
    /// never, or if it reads them live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_age_seconds: Option<u64>,
    /// Whether it may not watch credential specs and reads each live.
    pub reads_live: bool,
    /// For how long the API server has been rejecting its token, in seconds; 0 if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_rejected_seconds: Option<u64>,
    /// Until when the certificate that it serves is valid (RFC 3339); absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_expires: Option<String>,
    /// Denials since it started, by code.
    pub denials: Vec<Denials>,
    /// Admissions since it started.
    pub admissions: u64,
}

/// Denials with one code.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Denials {
    /// The code.
    code: String,
    /// How many.
    pub count: u64,
}

/// The replicas, or why they are not known.
pub type Replicas = Result<Vec<Replica>, String>;

/// Asks every replica that is not about to end.
pub async fn read(client: &Client, namespace: &str) -> Replicas {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let ours = ListParams::default().labels(&pods::selector());
    let listed = answer("list the", format!("pods in {namespace}"), api.list(&ours)).await;
    let listed = listed.map_err(|error| error.to_string())?;
    let stays = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none();
    let mut asked = tokio::task::JoinSet::new();
    for pod in listed.items.iter().filter(stays) {
        asked.spawn(ask(client.clone(), namespace.to_owned(), pod.clone()));
    }
    let mut replicas = asked.join_all().await;
    replicas.sort_by(|one, other| one.pod.cmp(&other.pod));
    Ok(replicas)
}

async fn ask(client: Client, namespace: String, pod: Pod) -> Replica {
    let name = pod.name_any();
    let status = pod.status.as_ref();
    if status.is_none_or(|status| status.pod_ip.as_deref().unwrap_or_default().is_empty()) {
        let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
        let why = pods::problem(&pod).map(|why| format!(": {}", why.text)).unwrap_or_default();
        let pending = Some(format!("{} and without an address yet{why}", phase.to_lowercase()));
        return Replica { pod: name, ready: false, metrics: None, pending, problem: None };
    }
    let ready = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let port = pod
        .spec
        .iter()
        .flat_map(|spec| &spec.containers)
        .flat_map(|container| container.ports.iter().flatten())
        .find(|port| port.name.as_deref() == Some("metrics"))
        .map_or(i32::from(METRICS_PORT), |port| port.container_port);
    let mut args = pod.spec.iter().flat_map(|spec| &spec.containers).flat_map(|one| &one.args);
    let over_https = |args: &Vec<String>| args.iter().any(|arg| arg == "--metrics-https=true");
    let scheme = if args.any(over_https) { "https" } else { "http" };
    let path = format!("/api/v1/namespaces/{namespace}/pods/{scheme}:{name}:{port}/proxy");
    let read = async {
        let request = Request::new(path)
            .get("metrics", &GetParams::default())
            .map_err(|error| error.to_string())?;
        match tokio::time::timeout(PATIENCE, client.request_text(request)).await {
            Ok(Ok(text)) => metrics(&Page::read(&text)),
            Ok(Err(error)) => Err(why(&error)),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    };
    match read.await {
        Ok(metrics) => {
            Replica { pod: name, ready, metrics: Some(metrics), pending: None, problem: None }
        }
        Err(problem) => {
            Replica { pod: name, ready, metrics: None, pending: None, problem: Some(problem) }
        }
    }
}

fn metrics(page: &Page) -> Result<Metrics, String> {
    let version = page
        .label("gmsa_build_info", "version")
        .ok_or("it answers, but not with the metrics of gmsa-webhook")?;
    let requests = |decision: &'static str| {
        page.samples("gmsa_admission_requests_total")
            .filter(move |sample| sample.label("decision") == Some(decision))
    };
    let mut denials: BTreeMap<&str, u64> = BTreeMap::new();
    for sample in requests("denied") {
        *denials.entry(sample.label("code").unwrap_or_default()).or_default() +=
            count(sample.value);
    }
    let denials = denials
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(code, count)| Denials { code: code.to_owned(), count })
        .collect();
    let value = |name: &str| page.samples(name).next().map(|sample| sample.value);
    let reads_live = value("gmsa_credspec_live_mode").is_some_and(|mode| mode > 0.0);
    Ok(Metrics {
        version: version.to_owned(),
        credential_specs: count(value("gmsa_credspecs").unwrap_or_default()),
        sync_age_seconds: value("gmsa_credspec_sync_age_seconds")
            .filter(|age| age.is_finite() && !reads_live)
            .map(count),
        reads_live,
        token_rejected_seconds: value("gmsa_token_rejected_seconds").map(f64::ceil).map(count),
        certificate_expires: value("gmsa_certificate_expiry_timestamp_seconds")
            .map(count)
            .filter(|at| *at > 0)
            .and_then(|at| Timestamp::from_second(i64::try_from(at).ok()?).ok())
            .map(|at| at.to_string()),
        denials,
        admissions: requests("allowed").map(|sample| count(sample.value)).sum(),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counters are whole and not negative; the conversion saturates"
)]
fn count(value: f64) -> u64 {
    value as u64
}

/// The outcomes of the checks of replicas.
pub fn judge(replicas: &Replicas) -> Vec<Outcome> {
    let replicas = match replicas {
        Ok(replicas) => replicas,
        Err(why) => return vec![Outcome::skipped(&WEBHOOK_METRICS, format!("not read: {why}"))],
    };
    let problems: Vec<String> = replicas
        .iter()
        .filter_map(|one| Some(format!("{}: {}", one.pod, one.problem.as_ref()?)))
        .collect();
    let known: Vec<&Metrics> = replicas.iter().filter_map(|one| one.metrics.as_ref()).collect();
    let outcome = if !problems.is_empty() {
        let words = format!("not all replicas could be read: {}", problems.join("; "));
        Outcome::warning(&WEBHOOK_METRICS, words)
    } else if known.is_empty() {
        Outcome::skipped(&WEBHOOK_METRICS, "no replica has an address")
    } else {
        Outcome::ok(&WEBHOOK_METRICS, format!("{} of {} report", known.len(), replicas.len()))
    };
    let pending =
        replicas.iter().filter_map(|one| Some(format!("{} is {}", one.pod, one.pending.as_ref()?)));
    let mut outcomes = vec![pending.fold(outcome, Outcome::because)];
    if !known.is_empty() {
        outcomes.extend([versions(&known), sync(&known), denials(&known)]);
    }
    outcomes
}

fn versions(known: &[&Metrics]) -> Outcome {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for metrics in known {
        *counts.entry(&metrics.version).or_default() += 1;
    }
    let list: Vec<String> = counts
        .iter()
        .map(|(version, count)| match count {
            1 => format!("{version} (1 replica)"),
            _ => format!("{version} ({count} replicas)"),
        })
        .collect();
    if counts.len() > 1 {
        Outcome::warning(&WEBHOOK_VERSIONS, list.join(", "))
    } else {
        Outcome::ok(&WEBHOOK_VERSIONS, list.join(", "))
    }
}

fn sync(known: &[&Metrics]) -> Outcome {
    if known.iter().any(|metrics| metrics.reads_live) {
        let words = "a replica may not watch credential specs and reads each live";
        return Outcome::warning(&WEBHOOK_SYNC, words);
    }
    let ages: Option<Vec<u64>> = known.iter().map(|metrics| metrics.sync_age_seconds).collect();
    let Some(oldest) = ages.and_then(|ages| ages.into_iter().max()) else {
        let words = "a replica never received credential specs from the API server";
        return Outcome::warning(&WEBHOOK_SYNC, words);
    };
    let specs = known.iter().map(|metrics| metrics.credential_specs).max().unwrap_or_default();
    let words = format!(
        "last update from the API server {oldest} s ago; {}",
        counted(specs, "credential spec")
    );
    if oldest > OLD {
        Outcome::warning(&WEBHOOK_SYNC, words)
    } else {
        Outcome::ok(&WEBHOOK_SYNC, words)
    }
}

fn denials(known: &[&Metrics]) -> Outcome {
    let mut by_code: BTreeMap<&str, u64> = BTreeMap::new();
    for denials in known.iter().flat_map(|metrics| &metrics.denials) {
        *by_code.entry(&denials.code).or_default() += denials.count;
    }
    let admissions: u64 = known.iter().map(|metrics| metrics.admissions).sum();
    let list: Vec<String> =
        by_code.iter().map(|(code, count)| format!("{count} with code {code}")).collect();
    let denied = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let words =
        format!("{denied}, and {}, since the replicas started", counted(admissions, "admission"));
    if by_code.keys().any(|code| UNDECIDED.contains(code)) {
        Outcome::warning(&WEBHOOK_DENIALS, words)
    } else {
        Outcome::ok(&WEBHOOK_DENIALS, words)
    }
}

#[cfg(test)]
mod tests {
    use gmsa_core::diagnosis::State;

    use super::*;

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
                pending: None,
                metrics: Some(metrics),
                problem: None,
            },
            Err(problem) => Replica {
                pod: "b".to_owned(),
                ready: true,
                pending: None,
                metrics: None,
                problem: Some(problem),
            },
        }
    }

    fn seen(replicas: Vec<Replica>) -> Vec<(&'static str, State, String)> {
        let outcomes = judge(&Ok(replicas)).into_iter();
        outcomes.map(|one| (one.check.id, one.state, one.message)).collect()
    }

    #[test]
    fn metrics_of_replicas_are_added_up() {
        let seen = seen(vec![replica(PAGE), replica(PAGE)]);
        let expected = [
            ("webhook-metrics", State::Ok, "2 of 2 report"),
            ("webhook-versions", State::Ok, "0.1.0 (2 replicas)"),
            (
                "webhook-sync",
                State::Ok,
                "last update from the API server 1 s ago; 4 credential specs",
            ),
            (
                "webhook-denials",
                State::Ok,
                "10 with code 403, and 14 admissions, since the replicas started",
            ),
        ];
        let expected = expected.map(|(id, state, message)| (id, state, message.to_owned()));
        assert_eq!(seen, expected);
        let first = replica(PAGE).metrics.unwrap();
        assert_eq!(first.certificate_expires.as_deref(), Some("2027-01-15T08:00:00Z"));
    }

    #[test]
    fn what_is_wrong_with_one_replica_is_seen() {
        for (what, becomes, id) in [
            ("0.1.0", "0.2.0", "webhook-versions"),
            ("age_seconds 1.5", "age_seconds NaN", "webhook-sync"),
            ("age_seconds 1.5", "age_seconds 61", "webhook-sync"),
            ("live_mode 0", "live_mode 1", "webhook-sync"),
            ("code=\"403\"} 3", "code=\"504\"} 3", "webhook-denials"),
            ("gmsa_build_info", "other_build_info", "webhook-metrics"),
        ] {
            let other = PAGE.replace(what, becomes);
            let states = seen(vec![replica(PAGE), replica(&other)]);
            let warned: Vec<_> =
                states.iter().filter(|one| one.1 == State::Warning).map(|one| one.0).collect();
            assert_eq!(warned, [id], "{becomes}: {states:?}");
        }
    }

    #[test]
    fn without_an_answering_replica_nothing_else_is_reported() {
        let seen = seen(vec![replica("<html>")]);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].2.contains("b: it answers, but not with"), "{seen:?}");
    }

    #[test]
    fn a_replica_without_an_address_is_pending_and_nothing_is_wrong_with_its_metrics() {
        let pending = Replica {
            pod: "c".to_owned(),
            ready: false,
            pending: Some("pending and without an address yet".to_owned()),
            metrics: None,
            problem: None,
        };
        let seen = seen(vec![pending]);
        let words = "no replica has an address".to_owned();
        assert_eq!(seen, [("webhook-metrics", State::Skipped, words)]);
    }
}
