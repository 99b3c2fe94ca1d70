//! The state of the containers and the events of the pod, with the numbers in them decoded.

use gmsa_cluster::api::value::{array, text};
use gmsa_core::diagnosis::catalogue::pod::POD_RUNNING;
use gmsa_core::diagnosis::{Outcome, State};
use gmsa_core::pod::{Identity, PlaceKind, Pod, identities};
use gmsa_core::printable::counted;
use gmsa_core::printable::printable;
use gmsa_core::windows::codes::Code;
use gmsa_core::windows::text::mentioned;
use k8s_openapi::api::core::v1::Event;
use kube::Client;
use kube::api::{Api, ListParams};
use serde_json::Value;

use super::inside::Place;
use super::{Specs, shown};

/// How many events the evidence contains.
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
pub fn judge(live: &Value, pod: &Pod<'_>, specs: &Specs, events: &[Happened]) -> Vec<Outcome> {
    let one = |identity: Identity<'_>| {
        let may_end = identity.container.kind == PlaceKind::InitContainer
            || matches!(text(live, "/spec/restartPolicy"), "Never" | "OnFailure");
        let outcome = match status(live, &identity) {
            None if text(live, "/status/phase") == "Failed" => {
                let why = joined(text(live, "/status/reason"), text(live, "/status/message"));
                Outcome::problem(&POD_RUNNING, format!("the pod has failed: {why}"))
            }
            status => {
                let outcome = state(status, may_end, events);
                let words = said(status, events);
                match advice(&words, &Case::of(live, pod, &identity, specs)) {
                    Some(advice) if outcome.state >= State::Warning => outcome.then(advice),
                    _ => outcome,
                }
            }
        };
        outcome.on(format!("{} of {}", identity.container, shown(live)))
    };
    identities(pod).map(one).collect()
}

fn state(status: Option<&Value>, may_end: bool, events: &[Happened]) -> Outcome {
    let Some(status) = status else {
        let outcome = Outcome::unknown(&POD_RUNNING, "the node has not reported it yet");
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
        return Outcome::unknown(&POD_RUNNING, "its state is not reported");
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
        let words = format!("it runs, and was started again {}", counted(count, "time"));
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
    // The API server stores a signed 32-bit integer.
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

/// The latest warnings, without repetitions: the kubelet writes one text
/// into the status and, with a prefix, into an event.
fn with_events(outcome: Outcome, events: &[Happened]) -> Outcome {
    let warnings: Vec<&Happened> = events.iter().filter(|one| one.kind == "Warning").collect();
    let from = warnings.len().saturating_sub(EVENTS);
    warnings.into_iter().skip(from).fold(outcome, |outcome, event| {
        let words = event.message.strip_prefix("Error: ").unwrap_or(&event.message);
        let repeats = outcome.message.contains(words)
            || outcome.evidence.iter().any(|line| line.contains(words));
        if repeats && !words.is_empty() {
            return outcome;
        }
        let line = format!("event {}: {}", event.reason, event.message);
        decoded(outcome.because(line), &event.message)
    })
}

/// What the numbers of a text mean.
fn decoded(outcome: Outcome, message: &str) -> Outcome {
    let mut lines: Vec<String> = mentioned(message).into_iter().map(Code::explained).collect();
    if is_about_credentials(message) {
        lines.push(
            "Windows could not set up the identity: the node could not get the account's password, \
             or could not read the contents; most often it is a mistake in the credential spec"
                .to_owned(),
        );
    }
    lines.into_iter().fold(outcome, |outcome, line| {
        if outcome.evidence.contains(&line) { outcome } else { outcome.because(line) }
    })
}

/// Whether the runtime speaks of the identity: hcsshim's own words for it, and errors that carry a
/// number of the Host Compute Service.
fn is_about_credentials(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    [
        "container credential guard",
        "hcs::modifyservicesettings",
        "external credentials",
        "winapi error",
    ]
    .iter()
    .any(|words| lower.contains(words))
}

/// The text of the status and the warnings.
fn said(status: Option<&Value>, events: &[Happened]) -> Vec<String> {
    let of = |pointer: &str| status.map(|status| text(status, pointer).to_owned());
    let from_status = [
        of("/state/waiting/message"),
        of("/state/terminated/message"),
        of("/lastState/terminated/message"),
    ];
    let warnings = events.iter().filter(|one| one.kind == "Warning").map(|one| one.message.clone());
    from_status.into_iter().flatten().chain(warnings).filter(|words| !words.is_empty()).collect()
}

/// What advice needs to name.
struct Case {
    credential_spec: String,
    account: String,
    domain: String,
    node: String,
    user: Option<String>,
}

impl Case {
    fn of(live: &Value, pod: &Pod<'_>, identity: &Identity<'_>, specs: &Specs) -> Self {
        let place = Place::of(live, pod, identity, specs, None);
        let or = |word: Option<&str>, other: &str| match word {
            Some(word) if !word.is_empty() => word.to_owned(),
            _ => other.to_owned(),
        };
        Self {
            credential_spec: identity.credential_spec.to_owned(),
            account: or(place.account.as_deref(), "ACCOUNT"),
            domain: or(Some(&place.domain), "DOMAIN"),
            node: or(Some(text(live, "/spec/nodeName")), "NODE"),
            user: user(live, identity),
        }
    }
}

/// The `runAsUserName` of a container, or that of its pod.
fn user(live: &Value, identity: &Identity<'_>) -> Option<String> {
    let list = identity.container.kind.list().unwrap_or("containers");
    let own = array(live, &format!("/spec/{list}"))
        .find(|one| text(one, "/name") == identity.container.name)
        .map(|one| text(one, "/securityContext/windowsOptions/runAsUserName"));
    let pods = text(live, "/spec/securityContext/windowsOptions/runAsUserName");
    let user = own.filter(|own| !own.is_empty()).unwrap_or(pods);
    (!user.is_empty()).then(|| user.to_owned())
}

/// The remedy for a known message, the most specific first; none if only the check's remedy applies.
fn advice(said: &[String], case: &Case) -> Option<String> {
    let codes: Vec<Code> = said.iter().flat_map(|words| mentioned(words)).collect();
    let names = |symbols: &[&str]| {
        codes.iter().filter_map(|code| code.entry()).any(|entry| symbols.contains(&entry.name))
    };
    let starts_process = said.iter().any(|words| words.contains("CreateProcess"));
    if starts_process && names(&LOGON_FAILURE) {
        return Some(match &case.user {
            Some(user) => format!(
                "runAsUserName names \"{}\", a user that the image does not have: correct it, or make \
                 the user in the image.",
                printable(user)
            ),
            None => "The image's own user cannot log on: set \
                     securityContext.windowsOptions.runAsUserName to a user that the image has, such \
                     as \"NT AUTHORITY\\NetworkService\"."
                .to_owned(),
        });
    }
    if !starts_process && names(&["STATUS_INVALID_PARAMETER"]) {
        return Some(format!(
            "The contents are empty or not what Windows understands: kubectl gmsa credspec lint {}; \
             see also the check crd-versions.",
            case.credential_spec
        ));
    }
    let about_credentials = said.iter().any(|words| is_about_credentials(words));
    about_credentials.then(|| {
        format!(
            "Check the contents: kubectl gmsa credspec lint {}\nThen run the script of kubectl gmsa \
             doctor --print-node-checks on the node {} with -Account {} -Domain {}, and give what it \
             prints to kubectl gmsa doctor --node-output FILE",
            case.credential_spec, case.node, case.account, case.domain
        )
    })
}

const LOGON_FAILURE: [&str; 2] = ["ERROR_LOGON_FAILURE", "STATUS_LOGON_FAILURE"];

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
            (json!({}), vec![], "unknown", "not reported"),
        ] {
            let outcome = super::state(Some(&status), false, &events);
            let text = format!("{}\n{}", outcome.message, outcome.evidence.join("\n"));
            assert_eq!(outcome.state.as_str(), state, "{text}");
            assert!(text.contains(words), "{words}: {text}");
        }
        let done = json!({"state": {"terminated": {"exitCode": 0}}});
        assert_eq!(super::state(Some(&done), true, &[]).state.as_str(), "ok");
    }
    fn case(user: Option<&str>) -> Case {
        Case {
            credential_spec: "web".to_owned(),
            account: "WebApp1".to_owned(),
            domain: "contoso.com".to_owned(),
            node: "node1".to_owned(),
            user: user.map(str::to_owned),
        }
    }

    /// The texts of hcsshim and of public reports.
    #[test]
    fn messages_of_the_runtime_have_a_next_step() {
        let guard = "Error: failed to create containerd task: failed to create shim task: failed to \
                     generate container credential guard instance: hcs::ModifyServiceSettings: The \
                     user name or password is incorrect.: unknown";
        let empty = "failed to start container \"0123\": Error response from daemon: \
                     hcsshim::CreateComputeSystem 0123: winapi error #3489660941";
        let unknown = "hcs::CreateComputeSystem 0123: winapi error #3489661095.";
        let user = "container 0123 encountered an error during CreateProcess: failure in a Windows \
                    system call: The user name or password is incorrect. (0x52e)";
        for (message, case, next) in [
            (guard, case(None), "on the node node1 with -Account WebApp1 -Domain contoso.com"),
            (empty, case(None), "kubectl gmsa credspec lint web; see also the check crd-versions"),
            (unknown, case(None), "--print-node-checks"),
            (user, case(Some("shop")), "runAsUserName names \"shop\", a user that the image does"),
            (user, case(None), "set securityContext.windowsOptions.runAsUserName"),
        ] {
            let words = advice(&[message.to_owned()], &case).unwrap();
            assert!(words.contains(next), "{message}: {words}");
        }
        assert_eq!(advice(&["ImagePullBackOff".to_owned()], &case(None)), None);
        for (message, line) in [
            (guard, "Windows could not set up the identity"),
            (unknown, "3489661095 (0xd00000a7, NTSTATUS 0xC00000A7): not in the catalogue"),
            (empty, "STATUS_INVALID_PARAMETER"),
            (user, "1326 (0x52e) ERROR_LOGON_FAILURE"),
        ] {
            let status = json!({"state": {"waiting": {"reason": "RunContainerError",
                "message": message}}});
            let event = Happened {
                kind: "Warning".to_owned(),
                reason: "Failed".to_owned(),
                message: format!("Error: {message}"),
            };
            let outcome = super::state(Some(&status), false, &[event]);
            let text = format!("{}\n{}", outcome.message, outcome.evidence.join("\n"));
            assert!(text.contains(line), "{line}: {text}");
            assert_eq!(text.matches(message).count(), 1, "it is said once: {text}");
        }
    }
}
