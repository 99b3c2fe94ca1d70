//! Early warnings: answers that allow whatever comes, and say what will go wrong.

use std::time::{Duration, Instant};

use gmsa_cluster::audit::references::{Found, Unread, Usage, is_controlled};
use gmsa_cluster::manifests::Workload;
use gmsa_core::admission::{Denial, Reason, Request, Step, plan};
use gmsa_core::credspec::lint;
use gmsa_core::finding::{Code, Severity};
use gmsa_core::pod::{Pod, shown};
use serde_json::Value;

use super::Service;
use crate::http::{Answer, Endpoint};
use crate::wire::{self, AnyReview};

/// How long a warning may take at most: less than the webhook configuration's timeout, after which
/// nobody would read it.
const PATIENCE: Duration = Duration::from_secs(2);

impl Service {
    /// Answers a request of an endpoint that only warns.
    pub(super) async fn warn(
        &self,
        endpoint: Endpoint,
        body: &[u8],
        began: Instant,
        patience: Duration,
    ) -> Answer {
        let review = match wire::decode_any(body) {
            Ok(review) => review,
            Err(malformed) => return self.malformed(endpoint, &malformed, began),
        };
        let deadline = began + patience.min(PATIENCE);
        let looking = async {
            match endpoint {
                Endpoint::ValidateCredspec => self.of_credential_spec(&review, deadline).await,
                _ => self.of_workload(&review, deadline).await,
            }
        };
        let late = deadline + Duration::from_millis(100);
        let warnings = match tokio::time::timeout_at(late.into(), looking).await {
            Ok(warnings) => warnings,
            Err(_) => vec!["gmsa: could not be checked in time".to_owned()],
        };
        self.metrics.warning(
            endpoint,
            review.operation(),
            !warnings.is_empty(),
            began.elapsed().as_secs_f64(),
        );
        tracing::debug!(
            endpoint = endpoint.as_str(),
            namespace = review.namespace(),
            kind = review.kind(),
            name = review.name(),
            warnings = warnings.len(),
            "looked at"
        );
        Answer::Review(wire::encode_warnings(review.uid(), warnings).into())
    }

    /// Answers a request that nobody has the time to look at.
    pub(super) fn let_pass(&self, endpoint: Endpoint, body: &[u8], began: Instant) -> Answer {
        match wire::decode_any(body) {
            Ok(review) => {
                let seconds = began.elapsed().as_secs_f64();
                self.metrics.warning(endpoint, review.operation(), false, seconds);
                Answer::Review(wire::encode_warnings(review.uid(), Vec::new()).into())
            }
            Err(malformed) => self.malformed(endpoint, &malformed, began),
        }
    }

    /// What would become of the pods of a workload's template.
    async fn of_workload(&self, review: &AnyReview<'_>, deadline: Instant) -> Vec<String> {
        let Some(value) = written(review) else { return Vec::new() };
        // Whoever makes a ReplicaSet of a Deployment reads no warning, and it was given before.
        if is_controlled(&value) {
            return Vec::new();
        }
        let workload = Workload::of(&value, review.namespace());
        let Some(workload) = workload.filter(|one| !one.template.is_empty()) else {
            return Vec::new();
        };
        let object = workload.pod(&value).to_string();
        let Ok(pod) = serde_json::from_str::<Pod<'_>>(&object) else { return Vec::new() };
        let judge = |step| {
            let request = Request::creation(step, review.namespace(), &pod);
            let plan = plan(&Request { max_places: self.max_places, ..request });
            self.judge(step, plan, None, deadline)
        };
        let mut decision = judge(Step::Mutate).await;
        if decision.is_allowed() {
            decision = judge(Step::Validate).await;
        }
        // The name that its controller will give to a pod says nothing yet.
        let made_up = pod.in_words();
        let words = |denial: &Denial| denial.in_brief().replacen(&made_up, "the pod template", 1);
        let mut warnings: Vec<String> = decision
            .denials()
            .iter()
            // The template is not expanded, its pods will be.
            .filter(|denial| denial.reason != Reason::NotExpanded)
            .map(|denial| match denial.reason {
                Reason::Undecided | Reason::Timeout => {
                    format!("gmsa: could not be checked: {}", words(denial))
                }
                _ => format!("gmsa: its pods will be denied: {}", words(denial)),
            })
            .collect();
        // Each pod will get a hostname of its own, or there is one pod. A StatefulSet's controller
        // sets the hostname itself, so that no random one is given.
        let random = self.random_hostname && review.kind() != "StatefulSet";
        let unshared = random || is_alone(&value);
        let findings = decision
            .warnings
            .iter()
            .filter(|finding| !(unshared && finding.code == Code::SharedHostnamePrefix));
        warnings.extend(findings.map(wire::warning));
        warnings
    }

    async fn of_credential_spec(&self, review: &AnyReview<'_>, deadline: Instant) -> Vec<String> {
        if review.operation() == "DELETE" {
            // Of many that are deleted by one request only the object says its name.
            let old = review.old_object().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let of_object = old.as_ref().map(name_of).filter(|name| !name.is_empty());
            let name = of_object.unwrap_or_else(|| review.name());
            if name.is_empty() {
                return Vec::new();
            }
            let usage = self.source.usage(name, deadline).await;
            return usage.map(|usage| of_usage(name, &usage)).unwrap_or_default();
        }
        let Some(object) = written(review) else { return Vec::new() };
        let findings = lint(name_of(&object), &object);
        let severe = findings.iter().filter(|finding| finding.severity() >= Severity::Warning);
        severe.map(wire::warning).collect()
    }
}

/// The object that is created or updated; none if it is about to go.
fn written(review: &AnyReview<'_>) -> Option<Value> {
    if !matches!(review.operation(), "CREATE" | "UPDATE") {
        return None;
    }
    let object: Value = serde_json::from_str(review.object()?).ok()?;
    object.pointer("/metadata/deletionTimestamp").is_none().then_some(object)
}

/// Whether the workload has at most one pod at a time.
fn is_alone(object: &Value) -> bool {
    let count = ["/spec/replicas", "/spec/parallelism", "/spec/jobTemplate/spec/parallelism"]
        .iter()
        .find_map(|pointer| object.pointer(pointer)?.as_i64());
    count.unwrap_or(1) <= 1 && object.get("kind").and_then(Value::as_str) != Some("DaemonSet")
}

fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// What a deletion will do to those that use the credential spec.
fn of_usage(name: &str, usage: &Usage) -> Vec<String> {
    let name = shown(name);
    let list = |found: &Found| {
        let more = found.count - found.names.len();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{rest}", found.names.join(", "))
    };
    let mut warnings = Vec::new();
    if usage.workloads.count > 0 {
        warnings.push(format!(
            "gmsa: \"{name}\" is used by {}: no new pod of theirs will start",
            list(&usage.workloads)
        ));
    }
    if usage.pods.count > 0 {
        warnings.push(format!(
            "gmsa: \"{name}\" is used by {} pods, which keep it until they end: {}",
            usage.pods.count,
            list(&usage.pods)
        ));
    }
    if usage.roles.count > 0 {
        warnings.push(format!(
            "gmsa: the right to use \"{name}\" stays, also for a new one of that name: {}",
            list(&usage.roles)
        ));
    }
    let unread = |wanted: Unread| {
        let of = usage.unread.iter().filter(|(_, why)| *why == wanted);
        of.map(|(resource, _)| *resource).collect::<Vec<_>>().join(", ")
    };
    for (why, words) in [
        (Unread::Forbidden, "the webhook may not list"),
        (Unread::TooMany, "there was no time to read all"),
        (Unread::Failed, "the API server did not list"),
    ] {
        let resources = unread(why);
        if !resources.is_empty() {
            warnings.push(format!(
                "gmsa: whether \"{name}\" is in use could not be seen in full: {words} {resources}"
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests;
