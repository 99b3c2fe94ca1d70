//! Why the webhook's pods do not run, in one place for install, status and doctor.

use gmsa_cluster::installation::NAME;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;

/// The label selector of the pods.
pub fn selector() -> String {
    format!("app.kubernetes.io/name={NAME}")
}

/// Why the pods of a Deployment cannot be created, as its condition `ReplicaFailure` says.
pub fn replica_failure(deployment: &Deployment) -> Option<String> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    let failure = conditions
        .iter()
        .find(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")?;
    let reason = failure.reason.as_deref().unwrap_or("ReplicaFailure");
    let message = failure.message.as_deref().unwrap_or("no reason is given");
    Some(format!("its pods cannot be created: {reason}: {message}"))
}

/// Why a rollout does not come to its end, as the Deployment's condition `Progressing` says.
pub fn stuck(deployment: &Deployment) -> Option<String> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    let stuck = conditions
        .iter()
        .find(|condition| condition.type_ == "Progressing" && condition.status == "False")?;
    let reason = stuck.reason.as_deref().unwrap_or("Progressing");
    Some(format!("{reason}: {}", stuck.message.as_deref().unwrap_or("no reason is given")))
}

/// The last container of a pod that ended with an error less than `within` seconds ago.
pub fn crashed(pod: &Pod, within: i64) -> Option<String> {
    let now = Timestamp::now().as_second();
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    statuses.iter().find_map(|container| {
        let ended = container.last_state.as_ref()?.terminated.as_ref()?;
        let age = now - ended.finished_at.as_ref()?.0.as_second();
        (ended.exit_code != 0 && age < within).then(|| {
            format!(
                "pod {} ended with {} {age} s ago; {} restarts",
                pod.name_any(),
                how(ended.reason.as_deref(), ended.exit_code),
                container.restart_count
            )
        })
    })
}

/// The reason and the exit code with which a container ended.
fn how(reason: Option<&str>, code: i32) -> String {
    match reason {
        Some(reason) if reason != "Error" => format!("{reason} (exit code {code})"),
        _ => format!("exit code {code}"),
    }
}

/// Why a pod does not run, in the words of the scheduler or the kubelet.
pub fn problem(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        let message = condition.message.as_deref().unwrap_or("no reason is given");
        let remedy = if message.contains("taint") {
            " (tolerate the taint with --toleration)"
        } else if message.contains("Insufficient") {
            " (free some, or ask for less with --cpu-request and --memory-request)"
        } else if message.contains("affinity") || message.contains("selector") {
            " (see --node-selector and --affinity-file)"
        } else {
            ""
        };
        return Some(format!("pod {} is not scheduled: {message}{remedy}", pod.name_any()));
    }
    status.container_statuses.iter().flatten().find_map(|container| reason(pod, container))
}

fn reason(pod: &Pod, container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        if matches!(reason, "" | "ContainerCreating" | "PodInitializing") {
            return None;
        }
        let message = waiting.message.as_deref().unwrap_or_default();
        if reason == "CrashLoopBackOff" {
            let ended = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
            let ended = ended.map_or_else(
                || message.to_owned(),
                |ended| format!("it ended with {}", how(ended.reason.as_deref(), ended.exit_code)),
            );
            let name = pod.name_any();
            return Some(format!("pod {name}: {reason}: {ended} (see kubectl logs --previous)"));
        }
        let remedy = if reason.contains("Image") {
            " (give a reachable image with --image, or a Secret with --image-pull-secret)"
        } else {
            ""
        };
        return Some(format!("pod {}: {reason}: {message}{remedy}", pod.name_any()));
    }
    let ended = state.terminated.as_ref()?;
    let how = how(ended.reason.as_deref(), ended.exit_code);
    Some(format!("pod {} ended with {how}", pod.name_any()))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn an_image_that_cannot_be_pulled_and_a_pod_without_a_node_are_told() {
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
            let told = problem(&pod).unwrap();
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
        }
        let starting = json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [
            {"name": "webhook", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ContainerCreating"}}}]}});
        assert_eq!(problem(&from_value(starting).unwrap()), None);
    }

    #[test]
    fn a_crash_and_pods_that_cannot_be_created_say_why() {
        let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled",
            "finishedAt": Timestamp::now().to_string()}});
        let pod = |state| {
            from_value(json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [
                {"name": "webhook", "image": "i", "imageID": "", "ready": false, "restartCount": 2,
                    "state": state, "lastState": ended}]}}))
            .unwrap()
        };
        let waiting =
            pod(json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}));
        let told = problem(&waiting).unwrap();
        assert!(told.contains("OOMKilled (exit code 137) (see kubectl logs --previous)"), "{told}");
        let running = pod(json!({"running": {}}));
        assert_eq!(problem(&running), None);
        let told = crashed(&running, 60).unwrap();
        assert!(told.starts_with("pod p ended with OOMKilled (exit code 137) "), "{told}");
        assert!(told.ends_with("; 2 restarts"), "{told}");
        assert_eq!(crashed(&running, -1), None);

        let deployment = |kind: &str, status: &str| {
            from_value(json!({"metadata": {}, "spec": {"selector": {}, "template": {}}, "status":
                {"conditions": [{"type": kind, "status": status, "reason": "FailedCreate",
                    "message": "exceeded quota: none"}]}}))
            .unwrap()
        };
        let told = replica_failure(&deployment("ReplicaFailure", "True")).unwrap();
        assert_eq!(told, "its pods cannot be created: FailedCreate: exceeded quota: none");
        assert_eq!(replica_failure(&deployment("ReplicaFailure", "False")), None);
        assert!(stuck(&deployment("Progressing", "False")).is_some());
        assert_eq!(stuck(&deployment("Progressing", "True")), None);
    }
}
