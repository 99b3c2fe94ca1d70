//! Why a pod of the webhook does not run, in the words of kubelet and the scheduler.

use gmsa_core::names::NAME;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;

/// The label selector of the pods.
pub fn selector() -> String {
    format!("app.kubernetes.io/name={NAME}")
}

/// Why a pod does not run.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Identifies the problem.
    pub reason: String,
    /// The original message, with what to do.
    pub text: String,
}

/// The condition of a Deployment or a replica set whose pods cannot be created.
pub const REFUSED: &str = "ReplicaFailure";

/// Why the pods of a Deployment or replica set cannot be created, such as by a quota, from its condition
/// `ReplicaFailure`. The conditions are given by type, status and message.
pub fn refused<'a>(
    mut conditions: impl Iterator<Item = [&'a Option<String>; 3]>,
) -> Option<Problem> {
    let is = |text: &Option<String>, wanted: &str| text.as_deref() == Some(wanted);
    let [_, _, message] =
        conditions.find(|[kind, status, _]| is(kind, REFUSED) && is(status, "True"))?;
    let message = message.as_deref().unwrap_or("no reason is given");
    let text = format!("its pods cannot be created: {message}");
    Some(Problem { reason: REFUSED.to_owned(), text })
}

/// The same of a Deployment.
pub fn refused_to(deployment: &Deployment) -> Option<Problem> {
    refused(conditions(deployment).map(|one| [&one.type_, &one.status, &one.message]))
}

fn conditions(deployment: &Deployment) -> impl Iterator<Item = &DeploymentCondition> {
    deployment.status.iter().flat_map(|status| status.conditions.iter().flatten())
}

/// Why a rollout does not finish, from the Deployment's condition `Progressing`.
pub fn stuck(deployment: &Deployment) -> Option<String> {
    let stuck = conditions(deployment).find(|one| {
        one.type_.as_deref() == Some("Progressing") && one.status.as_deref() == Some("False")
    })?;
    let reason = stuck.reason.as_deref().unwrap_or("Progressing");
    Some(format!("{reason}: {}", stuck.message.as_deref().unwrap_or("no reason is given")))
}

/// The last container of a pod that ended with an error less than `within` seconds ago.
pub fn crashed(pod: &Pod, within: i64) -> Option<String> {
    let now = Timestamp::now().as_second();
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    statuses.iter().find_map(|container| {
        let last = container.last_state.as_ref()?.terminated.as_ref()?;
        let age = now - last.finished_at.as_ref()?.0.as_second();
        (last.exit_code != 0 && age < within).then(|| {
            format!(
                "pod {} ended{} {age} s ago; {} restarts",
                pod.name_any(),
                ended(last),
                container.restart_count
            )
        })
    })
}

/// Why a pod does not run, if its status shows it.
pub fn problem(pod: &Pod) -> Option<Problem> {
    let status = pod.status.as_ref()?;
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        let message = condition.message.as_deref().unwrap_or("no reason is given");
        let remedy = if message.contains("taint {") {
            " (tolerate the taint with --toleration)"
        } else if message.contains("taint") {
            // Newer schedulers do not name it.
            " (tolerate the taint with --toleration; `kubectl describe node NAME` shows it)"
        } else if message.contains("Insufficient") {
            " (free some, or ask for less with --cpu-request and --memory-request)"
        } else if message.contains("affinity") || message.contains("selector") {
            " (see --node-selector and --affinity-file)"
        } else {
            ""
        };
        return Some(Problem {
            reason: format!("not scheduled: {message}"),
            text: format!("a pod is not scheduled: {message}{remedy}"),
        });
    }
    status.container_statuses.iter().flatten().find_map(|container| reason(pod, container))
}

fn reason(pod: &Pod, container: &ContainerStatus) -> Option<Problem> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        if matches!(reason, "" | "ContainerCreating" | "PodInitializing") {
            return None;
        }
        let message = waiting.message.as_deref().unwrap_or_default();
        // ErrImagePull and ImagePullBackOff follow each other.
        if reason.contains("Image") {
            return Some(Problem {
                reason: "image".to_owned(),
                text: format!(
                    "{reason}: {message} (give a reachable image with --image, or a Secret with \
                     --image-pull-secret)"
                ),
            });
        }
        let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
        if reason == "CrashLoopBackOff" {
            let how = last.map(ended).unwrap_or_default();
            let namespace = pod.namespace().unwrap_or_default();
            return Some(Problem {
                reason: format!("{reason}{how}"),
                text: format!(
                    "{reason}: the container ends again and again{how} (see kubectl logs -n \
                     {namespace} {} --previous)",
                    pod.name_any()
                ),
            });
        }
        return Some(Problem { reason: reason.to_owned(), text: format!("{reason}: {message}") });
    }
    let how = ended(state.terminated.as_ref()?);
    Some(Problem { reason: format!("ended{how}"), text: format!("the container ended{how}") })
}

/// How a container ended: `, the last time by OOMKilled with code 137`.
fn ended(ended: &ContainerStateTerminated) -> String {
    match ended.reason.as_deref() {
        Some(reason) if !matches!(reason, "Error" | "Completed") => {
            format!(" by {reason}, with code {}", ended.exit_code)
        }
        _ => format!(" with code {}", ended.exit_code),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn an_image_that_cannot_be_pulled_and_a_pod_without_a_node_are_reported() {
        for (status, words) in [
            (
                json!({"containerStatuses": [{"name": "webhook", "image": "i", "imageID": "",
                    "ready": false, "restartCount": 0, "state": {"waiting":
                    {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}]}),
                ["ImagePullBackOff", "--image-pull-secret"],
            ),
            (
                json!({"conditions": [{"type": "PodScheduled", "status": "False",
                    "message": "0/3 nodes are available"}]}),
                ["not scheduled", "0/3 nodes"],
            ),
        ] {
            let pod = from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap();
            let told = problem(&pod).unwrap().text;
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
        }
        let starting = json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [
            {"name": "webhook", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ContainerCreating"}}}]}});
        assert_eq!(problem(&from_value(starting).unwrap()), None);
    }

    #[test]
    fn two_words_for_one_thing_are_one_reason_and_pods_are_not_named() {
        let pod = |name: &str, state: serde_json::Value, last: serde_json::Value| {
            let status = json!({"name": "webhook", "image": "i", "imageID": "", "ready": false,
                "restartCount": 3, "state": state, "lastState": last});
            let pod = json!({"metadata": {"name": name, "namespace": "n"},
                "status": {"containerStatuses": [status]}});
            problem(&from_value(pod).unwrap()).unwrap()
        };
        let waiting = |reason: &str, message: &str| json!({"waiting": {"reason": reason, "message": message}});
        let one = pod("p", waiting("ErrImagePull", "lookup: 10.0.0.1:4711"), json!({}));
        let other = pod("q", waiting("ImagePullBackOff", "Back-off"), json!({}));
        assert_eq!(one.reason, other.reason);
        let killed = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        let back_off = waiting("CrashLoopBackOff", "back-off 10s restarting container of pod=p");
        let looping = pod("p", back_off, killed.clone());
        assert!(looping.text.contains("by OOMKilled, with code 137"), "{looping:?}");
        assert!(looping.text.contains("kubectl logs -n n p --previous"), "{looping:?}");
        assert!(!pod("p", killed, json!({})).text.contains("pod p"));
    }

    #[test]
    fn a_crash_and_pods_that_cannot_be_created_say_why() {
        let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled",
            "finishedAt": Timestamp::now().to_string()}});
        let running = from_value(json!({"metadata": {"name": "p"}, "status":
            {"containerStatuses": [{"name": "webhook", "image": "i", "imageID": "",
                "ready": true, "restartCount": 2, "state": {"running": {}},
                "lastState": ended}]}}))
        .unwrap();
        assert_eq!(problem(&running), None);
        let told = crashed(&running, 60).unwrap();
        assert!(told.starts_with("pod p ended by OOMKilled, with code 137 "), "{told}");
        assert!(told.ends_with("; 2 restarts"), "{told}");
        assert_eq!(crashed(&running, -1), None);

        let deployment = |kind: &str, status: &str| {
            from_value(json!({"metadata": {}, "spec": {"selector": {}, "template": {}}, "status":
                {"conditions": [{"type": kind, "status": status, "reason": "FailedCreate",
                    "message": "exceeded quota: none"}]}}))
            .unwrap()
        };
        let told = refused_to(&deployment("ReplicaFailure", "True")).unwrap().text;
        assert_eq!(told, "its pods cannot be created: exceeded quota: none");
        assert_eq!(refused_to(&deployment("ReplicaFailure", "False")), None);
        assert!(stuck(&deployment("Progressing", "False")).is_some());
        assert_eq!(stuck(&deployment("Progressing", "True")), None);
    }
}
