//! What an object of a cluster is: ours, a GMSA webhook's, a user of a GMSA.

use gmsa_core::names::{EARLY_WARNINGS, INDEX_KEEPER, PART_OF};
use gmsa_core::pod::Pod;
use serde_json::Value;

use crate::api::value::{array, is_true, name, text};
use crate::manifests::Workload;

/// What the names of GMSA webhooks, of their configurations and of their Services contain.
const MARK: &str = "gmsa";

/// Whether the object is part of our installation.
#[must_use]
pub fn is_ours(object: &Value) -> bool {
    let labels = object.pointer("/metadata/labels");
    labels.and_then(|labels| labels.get(PART_OF.0)).and_then(Value::as_str) == Some(PART_OF.1)
}

/// Whether a webhook of a configuration is a GMSA webhook's, by one of its names.
#[must_use]
pub fn is_gmsa_webhook(configuration: &Value, hook: &Value) -> bool {
    [name(configuration), text(hook, "/name"), text(hook, "/clientConfig/service/name")]
        .into_iter()
        .any(|name| name.contains(MARK))
}

/// Whether a webhook configuration is a GMSA webhook's: by its own name, or by that of any of its
/// webhooks or of their Services. Configurations that only warn count as well.
#[must_use]
pub fn is_gmsa_configuration(configuration: &Value) -> bool {
    name(configuration).contains(MARK)
        || array(configuration, "/webhooks").any(|hook| is_gmsa_webhook(configuration, hook))
}

/// Whether a configuration blocks nothing: it is sent workloads and credential specs, no pods.
#[must_use]
pub fn sends_no_pods(configuration: &Value) -> bool {
    [EARLY_WARNINGS, INDEX_KEEPER].contains(&name(configuration))
}

/// Whether a pod, or the next pod of a workload, uses a GMSA. What cannot be read does not.
#[must_use]
pub fn uses_gmsa(object: &Value) -> bool {
    let Some(workload) = Workload::of(object, "") else { return false };
    let text = workload.pod(object).to_string();
    serde_json::from_str::<Pod<'_>>(&text).is_ok_and(|pod| pod.references().next().is_some())
}

/// Whether a pod or a Job has ended.
#[must_use]
pub fn has_ended(object: &Value) -> bool {
    match text(object, "/kind") {
        "Pod" => matches!(text(object, "/status/phase"), "Succeeded" | "Failed"),
        "Job" => {
            is_true(object, "Complete")
                || is_true(object, "Failed")
                || object.pointer("/status/completionTime").is_some()
        }
        _ => false,
    }
}

/// Whether an object is a pod that has not ended, or has pods or may get some: not a Job that has ended,
/// nor a Deployment's past.
#[must_use]
pub fn has_pods(object: &Value) -> bool {
    let is_past = text(object, "/kind") == "ReplicaSet"
        && object.pointer("/spec/replicas").and_then(Value::as_u64) == Some(0)
        && is_controlled(object);
    !(has_ended(object) || is_past)
}

/// Whether a pod has not ended, or a workload has pods, or will make some, of its own accord: not
/// one that another controls, nor a Job that has ended.
#[must_use]
pub fn is_alive(object: &Value) -> bool {
    !has_ended(object) && (text(object, "/kind") == "Pod" || !is_controlled(object))
}

/// Whether the object belongs to another one, which controls it.
#[must_use]
pub fn is_controlled(object: &Value) -> bool {
    array(object, "/metadata/ownerReferences")
        .any(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{has_pods, is_alive, is_gmsa_configuration, is_ours, uses_gmsa};

    #[test]
    fn ended_or_owned_objects_make_no_pods() {
        let ended = |kind: &str| json!([{"type": kind, "status": "True"}]);
        let owned = json!({"ownerReferences": [{"kind": "Deployment", "controller": true}]});
        for (object, expected) in [
            (json!({"kind": "Pod", "metadata": owned, "status": {"phase": "Running"}}), true),
            (json!({"kind": "Pod", "status": {"phase": "Failed"}}), false),
            (json!({"kind": "Job"}), true),
            (json!({"kind": "Job", "status": {"conditions": ended("Complete")}}), false),
            (json!({"kind": "Job", "status": {"conditions": ended("Failed")}}), false),
            (json!({"kind": "Job", "status": {"conditions": ended("Suspended")}}), true),
            (json!({"kind": "Job", "status": {"completionTime": "2026-01-01T00:00:00Z"}}), false),
            (json!({"kind": "ReplicaSet", "metadata": owned}), false),
            (json!({"kind": "CronJob"}), true),
            // A Deployment reports the same types of conditions with other meanings.
            (json!({"kind": "Deployment", "status": {"conditions": ended("Failed")}}), true),
        ] {
            assert_eq!(is_alive(&object), expected, "{object}");
        }
    }

    #[test]
    fn a_workload_that_another_controls_has_pods_unless_it_is_the_past() {
        let owned = json!({"ownerReferences": [{"kind": "Deployment", "controller": true}]});
        for (object, expected) in [
            (json!({"kind": "ReplicaSet", "metadata": owned, "spec": {"replicas": 2}}), true),
            (json!({"kind": "ReplicaSet", "metadata": owned, "spec": {"replicas": 0}}), false),
            (json!({"kind": "ReplicaSet", "spec": {"replicas": 0}}), true),
            (json!({"kind": "Job", "metadata": owned}), true),
            (json!({"kind": "Job", "status": {"completionTime": "2026-01-01T00:00:00Z"}}), false),
            (json!({"kind": "Pod", "metadata": owned, "status": {"phase": "Succeeded"}}), false),
        ] {
            assert_eq!(has_pods(&object), expected, "{object}");
        }
    }

    #[test]
    fn a_configuration_is_recognized_by_any_of_its_names() {
        let configuration = |name: &str, hook: &str, service: &str| {
            json!({"metadata": {"name": name}, "webhooks": [{"name": "other.example.com"},
                {"name": hook, "clientConfig": {"service": {"name": service}}}]})
        };
        let (other, hook) = ("policies", "policy.example.com");
        for (configuration, expected) in [
            (configuration("gmsa", hook, other), true),
            (configuration(other, "admission-webhook.windows-gmsa.sigs.k8s.io", other), true),
            (configuration(other, hook, "windows-gmsa"), true),
            (configuration(other, hook, other), false),
            (json!({"metadata": {"name": "gmsa-webhook"}}), true),
            (json!({"metadata": {"name": 7}, "webhooks": 7}), false),
        ] {
            assert_eq!(is_gmsa_configuration(&configuration), expected, "{configuration}");
        }
    }

    #[test]
    fn every_kind_that_makes_pods_may_use_a_gmsa() {
        let options = json!({"windowsOptions": {"gmsaCredentialSpecName": "web"}});
        let spec = json!({"containers": [{"name": "a", "securityContext": options}]});
        let template = json!({"spec": spec});
        let object = |api: &str, kind: &str, body: serde_json::Value| {
            let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "a"}});
            object.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            object
        };
        for user in [
            object("v1", "Pod", json!({"spec": spec})),
            object("v1", "PodTemplate", json!({"template": template})),
            object("v1", "ReplicationController", json!({"spec": {"template": template}})),
            object("apps/v1", "Deployment", json!({"spec": {"template": template}})),
            object("apps/v1", "ReplicaSet", json!({"spec": {"template": template}})),
            object("apps/v1", "StatefulSet", json!({"spec": {"template": template}})),
            object("apps/v1", "DaemonSet", json!({"spec": {"template": template}})),
            object("batch/v1", "Job", json!({"spec": {"template": template}})),
            object(
                "batch/v1",
                "CronJob",
                json!({"spec": {"jobTemplate": {"spec": {"template": template}}}}),
            ),
        ] {
            assert!(uses_gmsa(&user), "{user}");
        }
        let plain = json!({"spec": {"containers": [{"name": "a"}]}});
        assert!(!uses_gmsa(&object("v1", "Pod", plain)));
        assert!(!uses_gmsa(&json!({"kind": "Pod"})));
    }

    #[test]
    fn ours_is_what_carries_the_label_with_its_value() {
        for (labels, expected) in [
            (json!({"app.kubernetes.io/part-of": "kube-gmsa"}), true),
            (json!({"app.kubernetes.io/part-of": "another"}), false),
            (json!({"app.kubernetes.io/part-of": 7}), false),
            (json!(null), false),
        ] {
            assert_eq!(is_ours(&json!({"metadata": {"labels": labels}})), expected, "{labels}");
        }
    }
}
