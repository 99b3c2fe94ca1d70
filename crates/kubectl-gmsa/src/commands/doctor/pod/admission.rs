//! Whether the pod would be admitted, whether it was made, and what it carries.

use std::collections::BTreeMap;

use gmsa_cluster::acting::{Acting, Fate, Labels};
use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::{condition, text};
use gmsa_cluster::simulate::{Simulator, as_created, not_there};
use gmsa_core::admission::Reason;
use gmsa_core::diagnosis::catalogue::pod::{POD_ADMISSION, POD_CONTENTS, POD_CREATED};
use gmsa_core::diagnosis::{Confidence, Outcome};
use gmsa_core::pod::Pod;
use kube::Client;
use serde_json::Value;

use super::target::Subject;
use super::{Specs, read, running, shown};
use crate::checks::facts::soft;
use crate::failure::Failure;
use crate::installation::probe::remedy;

/// What acts on the pods of a namespace.
pub struct Namespace {
    name: String,
    /// The parts that act on pods.
    pub acting: Acting,
    /// What becomes of the namespace's pods.
    fate: Fate,
    /// What could not be read of it.
    unread: Vec<String>,
}

impl Namespace {
    /// Reads what acts, and the labels by which it selects the namespace.
    pub async fn read(objects: &Objects, namespace: &str) -> Result<Self, Failure> {
        let mut unread = Vec::new();
        let acting = Acting::read(objects, &mut unread).await?;
        let mut fate = Fate::Checked;
        match soft(objects.get(&Reference::cluster(kinds::NAMESPACE, namespace)).await)? {
            Ok(found) => fate = found.map_or(fate, |found| acting.fate_of(&found)),
            Err(_) if !acting.selects() => fate = acting.fate(&Labels::new()),
            Err(why) => unread.push(why),
        }
        Ok(Self { name: namespace.to_owned(), acting, fate, unread })
    }

    /// Both admission steps for its pods.
    pub fn simulator(&self, client: &Client, specs: &BTreeMap<String, Value>) -> Simulator {
        Simulator::new(client.clone(), specs).with_fate(&self.name, self.fate)
    }

    /// Adds what could not be read to an outcome that would otherwise be fine.
    fn as_far_as_known(&self, outcome: Outcome) -> Outcome {
        let words = |why: &String| format!("{why}; whether the namespace is left out is not known");
        self.unread.iter().map(words).fold(outcome, Outcome::because)
    }
}

/// Judges the pod, and the next one of the workload.
pub async fn judge(
    client: &Client,
    specs: &Specs,
    namespace: &Namespace,
    subject: &Subject,
    pod: &Pod<'_>,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    if pod.references().next().is_some() {
        match specs {
            Ok(specs) => {
                let mut simulator = namespace.simulator(client, specs);
                outcomes.extend(admitted(&mut simulator, namespace, subject).await?);
                if let Some(live) = &subject.pod {
                    outcomes.extend(contents(&mut simulator, subject, live, pod).await);
                }
            }
            Err(why) => outcomes.push(Outcome::unknown(&POD_ADMISSION, why).on(&subject.shown)),
        }
    }
    if let Some(workload) = &subject.workload {
        outcomes.push(created(client, subject, workload).await.on(&subject.shown));
    }
    Ok(outcomes)
}

/// Whether the pod, and the workload's next one, would be admitted if they were created now.
async fn admitted(
    simulator: &mut Simulator,
    namespace: &Namespace,
    subject: &Subject,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes: Vec<(String, Outcome)> = Vec::new();
    let mut denied: Vec<Vec<(Reason, String)>> = Vec::new();
    let fresh = subject.pod.clone().map(|mut pod| {
        as_created(&mut pod);
        (shown(&pod), pod)
    });
    let next = subject.next_pod().map(|pod| (format!("the next pod of {}", subject.shown), pod));
    for (name, object) in fresh.into_iter().chain(next) {
        let text = object.to_string();
        let pod = read(&text, &name)?;
        let mut reasons = Vec::new();
        let outcome = match simulator.walk(&object, &pod, &subject.namespace).await {
            Err(error) => Outcome::unknown(&POD_ADMISSION, error.to_string()),
            Ok(walked) => match walked.decision.denials() {
                [] => {
                    if let Some(words) = namespace.fate.not_sent(&subject.namespace) {
                        let words = format!("it would be admitted, but {words}");
                        Outcome::problem(&POD_ADMISSION, words)
                            .then(Reason::NamespaceLeftOut.remedy())
                    } else {
                        let outcome = Outcome::ok(&POD_ADMISSION, "it would be admitted");
                        namespace.as_far_as_known(outcome)
                    }
                }
                [first, others @ ..] => {
                    let denials = walked.decision.denials().iter();
                    reasons.extend(denials.map(|one| (one.reason, one.field.clone())));
                    let named = pod.reference_at(&first.field).and_then(|one| one.name);
                    let absent = named.filter(|name| {
                        first.reason == Reason::NotAuthorized && !simulator.exists(name)
                    });
                    let outcome = Outcome::problem(&POD_ADMISSION, &first.message);
                    let outcome = match absent {
                        Some(name) => outcome.then(not_there(name)),
                        None => outcome.then(first.reason.remedy()),
                    };
                    others.iter().map(|one| &one.message).fold(outcome, Outcome::because)
                }
            },
        };
        outcomes.push((name, outcome));
        denied.push(reasons);
    }
    // What is true of both is said once.
    if let [one, other] = &denied[..]
        && one == other
        && !one.is_empty()
        && let Some((next, _)) = outcomes.pop()
        && let Some((name, _)) = outcomes.last_mut()
    {
        *name = format!("{name} and {next}");
    }
    Ok(outcomes.into_iter().map(|(name, outcome)| outcome.on(name)).collect())
}

/// Whether the pod carries the current contents of the credential spec.
async fn contents(
    simulator: &mut Simulator,
    subject: &Subject,
    live: &Value,
    pod: &Pod<'_>,
) -> Option<Outcome> {
    let decision = match simulator.validate(pod, &subject.namespace).await {
        Ok(decision) => decision,
        Err(error) => {
            let outcome = Outcome::unknown(&POD_CONTENTS, error.to_string());
            return Some(outcome.on(shown(live)));
        }
    };
    let carries = pod.references().all(|one| one.contents.is_some() || one.name.is_none());
    let of = |reasons: &[Reason]| -> Vec<String> {
        let denials = decision.denials().iter().filter(|one| reasons.contains(&one.reason));
        denials.map(|one| one.message.clone()).collect()
    };
    let differ = of(&[Reason::Mismatch]);
    let outcome = if !carries {
        let created = text(live, "/metadata/creationTimestamp");
        Outcome::problem(&POD_CONTENTS, "it names a credential spec and carries no contents")
            .because(format!("created {created}, by an API server that did not ask the webhook"))
    } else if differ.is_empty() {
        Outcome::ok(&POD_CONTENTS, "it carries the contents of today")
    } else {
        let words = "it carries other contents than the credential spec has today";
        let outcome = Outcome::warning(&POD_CONTENTS, words).sure(Confidence::Possible);
        let outcome = match subject.restart() {
            Some(restart) => outcome.then(format!("Let the workload make new pods: `{restart}`.")),
            None => outcome,
        };
        differ.into_iter().fold(outcome, Outcome::because)
    };
    Some(outcome.on(shown(live)))
}

/// Whether the workload has the pods that it wants, and why not.
async fn created(client: &Client, subject: &Subject, workload: &Value) -> Outcome {
    let mut reasons: Vec<String> = Vec::new();
    for maker in std::iter::once(workload).chain(&subject.makers) {
        let failure = condition(maker, "ReplicaFailure");
        if let Some(failure) = failure.filter(|one| text(one, "/status") == "True") {
            let line = format!("{}: {}", shown(maker), text(failure, "/message"));
            // A Deployment repeats the condition of its replica set.
            if !reasons.iter().any(|one| one.ends_with(text(failure, "/message"))) {
                reasons.push(line);
            }
        }
    }
    if subject.pod.is_none() && reasons.is_empty() {
        for maker in std::iter::once(workload).chain(&subject.makers) {
            let events = running::events(client, maker).await;
            let failed = events.iter().filter(|one| one.kind == "Warning");
            reasons.extend(failed.map(|one| format!("{}: {}", shown(maker), one.message)));
        }
        reasons.dedup();
    }
    let outcome = match (&subject.pod, reasons.is_empty()) {
        (Some(_), true) => return Outcome::ok(&POD_CREATED, "it has pods"),
        (Some(_), false) => Outcome::problem(&POD_CREATED, "it cannot make all of its pods"),
        (None, true) if matches!(text(workload, "/kind"), "CronJob" | "PodTemplate") => {
            return Outcome::skipped(&POD_CREATED, "none of its pods is there now");
        }
        (None, _) if wants_none(workload) => {
            return Outcome::warning(&POD_CREATED, "it wants no pods")
                .chosen()
                .then("Give it replicas, or a node that it selects.");
        }
        (None, _) => Outcome::problem(&POD_CREATED, "it has no pod"),
    };
    // An API server that cannot call the webhook says so in the reason.
    let uncalled = reasons.iter().filter(|reason| reason.contains("failed calling webhook"));
    let hint = uncalled.map(|reason| remedy(reason).trim()).find(|hint| !hint.is_empty());
    let outcome = match hint {
        Some(hint) => outcome.then(hint),
        None => outcome,
    };
    reasons.into_iter().take(5).fold(outcome, Outcome::because)
}

fn wants_none(workload: &Value) -> bool {
    let number = |pointer: &str| workload.pointer(pointer).and_then(Value::as_u64);
    number("/spec/replicas") == Some(0)
        || (text(workload, "/kind") == "DaemonSet"
            && number("/status/desiredNumberScheduled") == Some(0))
}
