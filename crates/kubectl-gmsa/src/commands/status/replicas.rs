//! What each replica says of itself: its metrics, read through the API server.

use std::collections::BTreeMap;
use std::time::Duration;

use gmsa_cluster::api::client::why;
use gmsa_cluster::installation::NAME;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, GetParams, ListParams, Request};
use kube::{Client, ResourceExt as _};
use schemars::JsonSchema;
use serde::Serialize;

use super::metrics::Page;
use super::{Check, State};

/// How long one replica may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The port of the metrics where the pod names none.
const PORT: i32 = 9443;
/// From this age on the store is not trusted (contract of the metric), in seconds.
const OLD: u64 = 60;
/// Codes of denials that say that it could not be decided.
const UNDECIDED: [&str; 3] = ["429", "500", "504"];

/// One replica.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replica {
    /// The pod.
    pub pod: String,
    /// Whether the pod is ready.
    pub ready: bool,
    /// What its metrics say; absent if they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// Why the metrics could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a replica's metrics say.
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
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let ours = ListParams::default().labels(&format!("app.kubernetes.io/name={NAME}"));
    let listed = pods
        .list(&ours)
        .await
        .map_err(|error| format!("failed to list the pods in {namespace}: {}", why(&error)))?;
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
        .map_or(PORT, |port| port.container_port);
    let path = format!("/api/v1/namespaces/{namespace}/pods/http:{name}:{port}/proxy");
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
        Ok(metrics) => Replica { pod: name, ready, metrics: Some(metrics), problem: None },
        Err(problem) => Replica { pod: name, ready, metrics: None, problem: Some(problem) },
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

/// What follows from what the replicas say.
pub fn checks(replicas: &Replicas) -> Vec<Check> {
    let replicas = match replicas {
        Ok(replicas) => replicas,
        Err(why) => return vec![unread(why)],
    };
    let mut checks = Vec::new();
    let problems: Vec<String> = replicas
        .iter()
        .filter_map(|one| Some(format!("{}: {}", one.pod, one.problem.as_ref()?)))
        .collect();
    if !problems.is_empty() {
        checks.push(unread(&problems.join("; ")));
    }
    let known: Vec<&Metrics> = replicas.iter().filter_map(|one| one.metrics.as_ref()).collect();
    if !known.is_empty() {
        checks.extend([versions(&known), sync(&known), denials(&known)]);
    }
    checks
}

fn unread(why: &str) -> Check {
    Check {
        id: "metrics",
        state: State::Warning,
        message: format!("not all replicas could be asked: {why}"),
        remedy: "it takes the right to get pods/proxy in the webhook's namespace, and a way from \
                 the API server to port 9443 of its pods",
    }
}

fn versions(known: &[&Metrics]) -> Check {
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
    let (state, remedy) = if counts.len() > 1 {
        (
            State::Warning,
            "a rollout is under way, or does not come to its end: kubectl rollout status \
             deployment/gmsa-webhook -n gmsa-webhook",
        )
    } else {
        (State::Ok, "")
    };
    Check { id: "versions", state, message: list.join(", "), remedy }
}

fn sync(known: &[&Metrics]) -> Check {
    let id = "sync";
    if known.iter().any(|metrics| metrics.reads_live) {
        return Check {
            id,
            state: State::Warning,
            message: "a replica may not watch credential specs and reads each live".to_owned(),
            remedy: "it works, and is slower; kubectl gmsa install grants the right",
        };
    }
    let ages: Option<Vec<u64>> = known.iter().map(|metrics| metrics.sync_age_seconds).collect();
    let oldest = ages.and_then(|ages| ages.into_iter().max());
    let specs = known.iter().map(|metrics| metrics.credential_specs).max().unwrap_or_default();
    let message = match oldest {
        Some(oldest) => {
            format!(
                "the API server was last heard of {oldest} s ago; {specs} credential specs known"
            )
        }
        None => "a replica never heard of credential specs from the API server".to_owned(),
    };
    let (state, remedy) = if oldest.is_none_or(|oldest| oldest > OLD) {
        (State::Warning, "it reads every credential spec live meanwhile; its log says why")
    } else {
        (State::Ok, "")
    };
    Check { id, state, message, remedy }
}

fn denials(known: &[&Metrics]) -> Check {
    let mut by_code: BTreeMap<&str, u64> = BTreeMap::new();
    for denials in known.iter().flat_map(|metrics| &metrics.denials) {
        *by_code.entry(&denials.code).or_default() += denials.count;
    }
    let admissions: u64 = known.iter().map(|metrics| metrics.admissions).sum();
    let list: Vec<String> =
        by_code.iter().map(|(code, count)| format!("{count} with code {code}")).collect();
    let denied = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let message = format!("{denied}, and {admissions} admissions, since the replicas started");
    let undecided = by_code.keys().any(|code| UNDECIDED.contains(code));
    let (state, remedy) = if undecided {
        (
            State::Warning,
            "429, 500 and 504 mean that it could not be decided: see the log of the replicas, and \
             GmsaWebhookCannotDecide in docs/runbooks.md",
        )
    } else {
        (State::Ok, "")
    };
    Check { id: "denials", state, message, remedy }
}

#[cfg(test)]
mod tests;
