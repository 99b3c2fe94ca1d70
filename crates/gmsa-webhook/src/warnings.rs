//! Answers that allow every request: early warnings of what will fail later, and the note of a credential
//! spec that is being created.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gmsa_cluster::api::value::name as name_of;
use gmsa_cluster::audit::references::{Found, References, Unread};
use gmsa_cluster::index::Keeper;
use gmsa_cluster::installation::identify::is_controlled;
use gmsa_cluster::manifests::Workload;
use gmsa_core::admission::{Denial, Reason, Request, Step, plan};
use gmsa_core::credspec::lint;
use gmsa_core::finding::{Code, Finding, Severity};
use gmsa_core::pod::{Metadata, Pod, shown};
use gmsa_core::printable::counted;
use gmsa_core::workload::{pod_findings, refine_binding, templates, unread};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::admission::{Gatherer, Settings};
use crate::http::{Answer, Endpoint};
use crate::metrics::Metrics;
use crate::wire::{self, AnyReview, Malformed};

/// The most time that a warning may take: less than the timeout in the webhook configuration, after
/// which the API server drops it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most JSON values in an object that is checked.
const MAX_VALUES: usize = 50_000;

/// Answers `/warn`, `/validate-credspec` and `/index-credspec`.
pub struct Warnings {
    gatherer: Gatherer,
    /// Keeps the index of credential specs, if that is wanted.
    pub(crate) index: Option<Keeper>,
    metrics: Arc<Metrics>,
    settings: Settings,
}

impl Warnings {
    pub(crate) fn new(gatherer: Gatherer, metrics: Arc<Metrics>, settings: Settings) -> Self {
        Self { gatherer, index: None, metrics, settings }
    }

    /// Answers a request with warnings.
    pub(crate) async fn warn(
        &self,
        endpoint: Endpoint,
        body: &[u8],
        began: Instant,
        patience: Duration,
    ) -> Result<Answer, Malformed> {
        let review = wire::decode_any(body)?;
        let deadline = began + patience.min(PATIENCE);
        let looking = async {
            match endpoint {
                Endpoint::ValidateCredspec => self.of_credential_spec(&review, deadline).await,
                Endpoint::IndexCredspec => self.index_early(&review, deadline).await,
                _ => self.of_workload(&review, deadline).await,
            }
        };
        let late = deadline + Duration::from_millis(100);
        let warnings = match tokio::time::timeout_at(late.into(), looking).await {
            Ok(Ok(warnings)) => warnings,
            Ok(Err(TooLarge)) => vec!["gmsa: too large to be checked early".to_owned()],
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
        Ok(Answer::Review(wire::encode_warnings(review.uid(), warnings).into()))
    }

    /// Answers a request without looking at it, because too many are in flight.
    pub(crate) fn let_pass(
        &self,
        endpoint: Endpoint,
        body: &[u8],
        began: Instant,
    ) -> Result<Answer, Malformed> {
        let review = wire::decode_any(body)?;
        let seconds = began.elapsed().as_secs_f64();
        self.metrics.warning(endpoint, review.operation(), false, seconds);
        Ok(Answer::Review(wire::encode_warnings(review.uid(), Vec::new()).into()))
    }

    /// What would happen to the pods of a workload's template.
    async fn of_workload(
        &self,
        review: &AnyReview<'_>,
        deadline: Instant,
    ) -> Result<Vec<String>, TooLarge> {
        let Some(template) = template(review)? else { return Ok(Vec::new()) };
        let Template { object, is_alone, selection, further } = template;
        let Ok(pod) = serde_json::from_str::<Pod<'_>>(&object) else { return Ok(Vec::new()) };
        let judge = |step| {
            let request = Request::creation(step, review.namespace(), &pod);
            let plan = plan(&Request { max_places: self.settings.max_places, ..request });
            self.gatherer.judge(step, plan, None, deadline)
        };
        let mut decision = judge(Step::Mutate).await;
        if decision.is_allowed() {
            decision = judge(Step::Validate).await;
        }
        // The name that its controller will give to a pod is not known yet.
        let made_up = pod.in_words();
        let words = |denial: &Denial| denial.in_brief().replacen(&made_up, "the pod template", 1);
        let mut warnings: Vec<String> = decision
            .denials()
            .iter()
            // A template is never expanded, its pods are.
            .filter(|denial| denial.reason != Reason::NotExpanded)
            .map(|denial| match denial.reason {
                Reason::Undecided | Reason::Timeout => {
                    format!("gmsa: could not be checked: {}", words(denial))
                }
                _ => format!("gmsa: its pods will be denied: {}", words(denial)),
            })
            .collect();
        // Each pod will get its own hostname, or there is one pod. The controller of a
        // StatefulSet sets the hostname itself, so that no random one is given.
        let random = self.settings.random_hostname && review.kind() != "StatefulSet";
        let unshared = random || is_alone;
        refine_binding(&mut decision.warnings, &selection);
        let findings = decision
            .warnings
            .iter()
            .chain(&further)
            .filter(|finding| finding.severity() >= Severity::Warning)
            .filter(|finding| !(unshared && finding.code == Code::SharedHostnamePrefix));
        warnings.extend(findings.map(wire::warning));
        Ok(warnings)
    }

    /// Puts a credential spec that is being created into the index, so that a pod which is created right
    /// after it is admitted. Nothing comes of a dry run, and nothing is said: the index has it later too.
    async fn index_early(
        &self,
        review: &AnyReview<'_>,
        deadline: Instant,
    ) -> Result<Vec<String>, TooLarge> {
        let Some(index) = self.index.as_ref().filter(|_| !review.is_dry_run()) else {
            return Ok(Vec::new());
        };
        if review.operation() == "CREATE"
            && let Some(object) = written(review)?
        {
            let name = name_of(&object);
            if !name.is_empty() && !index.early(name, &object, deadline).await {
                tracing::debug!(name, "the index does not have a new credential spec in time");
            }
        }
        Ok(Vec::new())
    }

    async fn of_credential_spec(
        &self,
        review: &AnyReview<'_>,
        deadline: Instant,
    ) -> Result<Vec<String>, TooLarge> {
        if review.operation() == "DELETE" {
            // A request that deletes many has their names only in the objects.
            let old =
                review.old_object().and_then(|text| serde_json::from_str::<Named<'_>>(text).ok());
            let of_object = old.as_ref().map(Named::name).filter(|name| !name.is_empty());
            let name = of_object.unwrap_or_else(|| review.name());
            if name.is_empty() {
                return Ok(Vec::new());
            }
            let references = self.gatherer.source().references(name, deadline).await;
            return Ok(references
                .map(|references| of_references(name, &references))
                .unwrap_or_default());
        }
        let Some(object) = written(review)? else { return Ok(Vec::new()) };
        let findings = lint(name_of(&object), &object);
        let severe = findings.iter().filter(|finding| finding.severity() >= Severity::Warning);
        Ok(severe.map(wire::warning).collect())
    }
}

/// An object of which only the name is read.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

impl Named<'_> {
    fn name(&self) -> &str {
        self.metadata.as_ref().and_then(|metadata| metadata.name.as_deref()).unwrap_or_default()
    }
}

/// An object that is too large to check.
struct TooLarge;

/// The pod of a workload's template.
struct Template {
    /// The pod as JSON.
    object: String,
    /// Whether there is at most one such pod at a time.
    is_alone: bool,
    /// By what the pod selects its nodes.
    selection: Value,
    /// What is found on the object beyond its pod's admission.
    further: Vec<Finding>,
}

/// The template of the workload that is created or updated. The whole object is dropped: the answer
/// may have to wait for the API server.
fn template(review: &AnyReview<'_>) -> Result<Option<Template>, TooLarge> {
    let Some(value) = written(review)? else { return Ok(None) };
    // Nobody reads the warnings about the ReplicaSet of a Deployment, which was warned about itself.
    if is_controlled(&value) {
        return Ok(None);
    }
    let workload = Workload::of(&value, review.namespace());
    let workload = workload.filter(|one| !one.template.is_empty());
    Ok(workload.map(|workload| {
        let pod = workload.pod(&value);
        let object = pod.to_string();
        let mut further = unread(&value, &templates(&value));
        if let Ok(view) = serde_json::from_str::<Pod<'_>>(&object) {
            further.extend(pod_findings(&pod, &view));
        }
        let part = |key: &str| pod.pointer(&format!("/spec/{key}")).cloned().unwrap_or_default();
        let selection = json!({"nodeSelector": part("nodeSelector"), "affinity": part("affinity")});
        Template { object, is_alone: is_alone(&value), selection, further }
    }))
}

/// The object that is created or updated; none if it is being deleted.
fn written(review: &AnyReview<'_>) -> Result<Option<Value>, TooLarge> {
    let Some(text) = review.object().filter(|_| matches!(review.operation(), "CREATE" | "UPDATE"))
    else {
        return Ok(None);
    };
    // A value takes up to a hundred times its text, and each begins with one of these, or follows it.
    let values = text.bytes().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count();
    if values > MAX_VALUES {
        return Err(TooLarge);
    }
    let object: Option<Value> = serde_json::from_str(text).ok();
    Ok(object.filter(|object| object.pointer("/metadata/deletionTimestamp").is_none()))
}

/// Whether the workload has at most one pod at a time.
fn is_alone(object: &Value) -> bool {
    let count = ["/spec/replicas", "/spec/parallelism", "/spec/jobTemplate/spec/parallelism"]
        .iter()
        .find_map(|pointer| object.pointer(pointer)?.as_i64());
    count.unwrap_or(1) <= 1 && object.get("kind").and_then(Value::as_str) != Some("DaemonSet")
}

/// What a deletion does to the users of the credential spec.
fn of_references(name: &str, references: &References) -> Vec<String> {
    let name = shown(name);
    let list = |found: &Found| {
        let more = found.count - found.names.len();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{rest}", found.names.join(", "))
    };
    let mut warnings = Vec::new();
    if references.workloads.count > 0 {
        warnings.push(format!(
            "gmsa: \"{name}\" is used by {}: no new pod of theirs will start",
            list(&references.workloads)
        ));
    }
    if references.pods.count > 0 {
        warnings.push(format!(
            "gmsa: \"{name}\" is used by {}, which keep it until they end: {}",
            counted(references.pods.count, "pod"),
            list(&references.pods)
        ));
    }
    if references.roles.count > 0 {
        warnings.push(format!(
            "gmsa: the right to use \"{name}\" stays, also for a new one of that name: {}",
            list(&references.roles)
        ));
    }
    let unread = |wanted: Unread| {
        let of = references.unread.iter().filter(|(_, why)| *why == wanted);
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
