//! The state of the containers and the events of the pod, with the numbers in them decoded.

use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::pod::POD_RUNNING;
use gmsa_core::pod::{Identity, PlaceKind, Pod, identities};
use gmsa_core::windows::codes::Code;
use gmsa_core::windows::text::mentioned;
use k8s_openapi::api::core::v1::Event;
use kube::Client;
use kube::api::{Api, ListParams};
use serde_json::Value;

use super::shown;
use crate::checks::facts::{array, text};

/// How many events stand in the evidence.
const EVENTS: usize = 5;
/// A container that has these waits for nothing bad.
const PATIENT: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// An event of an object.
pub struct Happened {
    /// `Normal` or `Warning`.
    pub kind: String,
    pub reason: String,
    pub message: String,
}

/// The events of an object, the newest last; none if they may not be read.
pub async fn events(client: &Client, object: &Value) -> Vec<Happened> {
    let events: Api<Event> = Api::namespaced(client.clone(), text(object, "/metadata/namespace"));
    let uid = text(object, "/metadata/uid");
    let params = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
    let Ok(found) = events.list(&params).await else { return Vec::new() };
    let mut found = found.items;
    found.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
    found
        .into_iter()
        .map(|event| Happened {
            kind: event.type_.unwrap_or_default(),
            reason: event.reason.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
        })
        .collect()
}

/// The status of a container.
pub fn status<'a>(pod: &'a Value, identity: &Identity<'_>) -> Option<&'a Value> {
    let list = match identity.container.kind {
        PlaceKind::InitContainer => "/status/initContainerStatuses",
        PlaceKind::EphemeralContainer => "/status/ephemeralContainerStatuses",
        PlaceKind::Container | PlaceKind::Pod => "/status/containerStatuses",
    };
    array(pod, list).find(|status| text(status, "/name") == identity.container.name)
}

/// Whether it runs.
pub fn is_running(pod: &Value, identity: &Identity<'_>) -> bool {
    status(pod, identity).is_some_and(|status| status.pointer("/state/running").is_some())
}

/// Judges every container that has an identity.
pub fn judge(live: &Value, pod: &Pod<'_>, events: &[Happened]) -> Vec<Outcome> {
    let one = |identity: Identity<'_>| {
        let may_end = identity.container.kind == PlaceKind::InitContainer
            || matches!(text(live, "/spec/restartPolicy"), "Never" | "OnFailure");
        let outcome = match status(live, &identity) {
            None if text(live, "/status/phase") == "Failed" => {
                let why = joined(text(live, "/status/reason"), text(live, "/status/message"));
                Outcome::problem(&POD_RUNNING, format!("the pod has failed: {why}"))
            }
            status => state(status, may_end, events),
        };
        outcome.on(format!("{} of {}", identity.container, shown(live)))
    };
    identities(pod).map(one).collect()
}

fn state(status: Option<&Value>, may_end: bool, events: &[Happened]) -> Outcome {
    let Some(status) = status else {
        let outcome = Outcome::unknown(&POD_RUNNING, "the node has told nothing of it yet");
        return with_events(outcome, events);
    };
    if status.pointer("/state/running").is_some() {
        return restarts(status);
    }
    if let Some(waiting) = status.pointer("/state/waiting") {
        let (reason, message) = (text(waiting, "/reason"), text(waiting, "/message"));
        let words = format!("it waits: {}", joined(reason, message));
        let outcome =
            if PATIENT.contains(&reason) && !events.iter().any(|one| one.kind == "Warning") {
                Outcome::unknown(&POD_RUNNING, words)
            } else {
                Outcome::problem(&POD_RUNNING, words)
            };
        let outcome = decoded(outcome, message);
        return with_events(last(outcome, status), events);
    }
    let Some(ended) = status.pointer("/state/terminated") else {
        return Outcome::unknown(&POD_RUNNING, "its state is not told");
    };
    let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or_default();
    if code == 0 && may_end {
        return Outcome::ok(&POD_RUNNING, "it has done its work");
    }
    let words = format!("it has ended with {}", exit(ended));
    let outcome = if code == 0 {
        Outcome::warning(&POD_RUNNING, words)
    } else {
        Outcome::problem(&POD_RUNNING, words)
    };
    with_events(decoded(outcome, text(ended, "/message")), events)
}

fn restarts(status: &Value) -> Outcome {
    let count = status.get("restartCount").and_then(Value::as_u64).unwrap_or_default();
    let failed = status
        .pointer("/lastState/terminated/exitCode")
        .and_then(Value::as_i64)
        .is_some_and(|code| code != 0);
    if count > 0 && failed {
        let words = format!("it runs, and was started again {count} times");
        return last(Outcome::warning(&POD_RUNNING, words), status);
    }
    Outcome::ok(&POD_RUNNING, "it runs")
}

/// How it ended before.
fn last(outcome: Outcome, status: &Value) -> Outcome {
    let Some(ended) = status.pointer("/lastState/terminated") else { return outcome };
    let message = text(ended, "/message");
    let line = format!("it last ended with {}", joined(&exit(ended), message));
    decoded(outcome.because(line), message)
}

/// An exit code as Windows and people write it.
fn exit(ended: &Value) -> String {
    let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or_default();
    let reason = text(ended, "/reason");
    // The API server keeps 32 bits with a sign.
    let unsigned = i32::try_from(code).map(i32::cast_unsigned).unwrap_or_default();
    let code =
        if unsigned > 0xffff { format!("{code} (0x{unsigned:x})") } else { code.to_string() };
    if reason.is_empty() { format!("code {code}") } else { format!("code {code}, {reason}") }
}

fn joined(first: &str, second: &str) -> String {
    match (first, second) {
        ("", "") => "without a reason".to_owned(),
        (one, "") | ("", one) => one.to_owned(),
        (first, second) => format!("{first}: {second}"),
    }
}

fn with_events(outcome: Outcome, events: &[Happened]) -> Outcome {
    let warnings: Vec<&Happened> = events.iter().filter(|one| one.kind == "Warning").collect();
    let from = warnings.len().saturating_sub(EVENTS);
    warnings.into_iter().skip(from).fold(outcome, |outcome, event| {
        let line = format!("event {}: {}", event.reason, event.message);
        decoded(outcome.because(line), &event.message)
    })
}

/// What the numbers of a text mean.
fn decoded(outcome: Outcome, message: &str) -> Outcome {
    let lower = message.to_ascii_lowercase();
    let mut lines: Vec<String> = mentioned(message).into_iter().map(Code::explained).collect();
    if lower.contains("winapi error") || lower.contains("external credentials") {
        lines.push(
            "such an error is most often a mistake in the credential spec, or the node cannot \
             fetch the account's password"
                .to_owned(),
        );
    }
    lines.into_iter().fold(outcome, |outcome, line| {
        if outcome.evidence.contains(&line) { outcome } else { outcome.because(line) }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn states_and_their_numbers() {
        let hcs = "hcs::CreateComputeSystem iis: winapi error: 0xd0020017";
        let event = |kind: &str, message: &str| Happened {
            kind: kind.to_owned(),
            reason: "Failed".to_owned(),
            message: message.to_owned(),
        };
        for (status, events, state, words) in [
            (json!({"state": {"running": {}}}), vec![], "ok", "runs"),
            (
                json!({"restartCount": 3, "state": {"running": {}}, "lastState":
                    {"terminated": {"exitCode": -1_073_741_502, "reason": "Error"}}}),
                vec![],
                "warning",
                "0xc0000142",
            ),
            (
                json!({"state": {"waiting": {"reason": "ContainerCreating"}}}),
                vec![event("Normal", "pulled")],
                "unknown",
                "ContainerCreating",
            ),
            (
                json!({"state": {"waiting": {"reason": "ContainerCreating"}}}),
                vec![event("Warning", hcs)],
                "problem",
                "RPC_NT_SERVER_UNAVAILABLE",
            ),
            (
                json!({"state": {"waiting": {"reason": "RunContainerError", "message": hcs}}}),
                vec![],
                "problem",
                "mistake in the credential spec",
            ),
            (json!({"state": {"terminated": {"exitCode": 1}}}), vec![], "problem", "code 1"),
            (json!({"state": {"terminated": {"exitCode": 0}}}), vec![], "warning", "code 0"),
            (json!({}), vec![], "unknown", "not told"),
        ] {
            let outcome = super::state(Some(&status), false, &events);
            let text = format!("{}\n{}", outcome.message, outcome.evidence.join("\n"));
            assert_eq!(outcome.state.as_str(), state, "{text}");
            assert!(text.contains(words), "{words}: {text}");
        }
        let done = json!({"state": {"terminated": {"exitCode": 0}}});
        assert_eq!(super::state(Some(&done), true, &[]).state.as_str(), "ok");
    }
}
