//! The audit as a `CronJob`, with the rights for it, which only this option brings.

use gmsa_core::names::{AUDIT, AUDIT_RESULTS, ENGINE_CHECK, GROUP, GUARD, NAME, PART_OF, PLURAL};
use serde_json::{Value, json};

use super::rbac::{API_GROUP, binding_to, role};
use super::workload::USER;
use super::{Options, Version, labels, merge};

/// How long one audit may take, in seconds.
const DEADLINE: u32 = 3600;

pub(super) fn objects(options: &Options, version: Version) -> Vec<Value> {
    if !options.audit {
        return Vec::new();
    }
    let namespace = Some(options.namespace.as_str());
    let results = |verbs: &[&str]| {
        [json!({"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [AUDIT],
            "verbs": verbs})]
    };
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": AUDIT, "namespace": options.namespace, "labels": labels()}}),
        role("ClusterRole", AUDIT, None, &rules()),
        binding_to(AUDIT, "ClusterRoleBinding", AUDIT, options, None),
        role("Role", AUDIT, namespace, &results(&["get", "create", "patch"])),
        binding_to(AUDIT, "RoleBinding", AUDIT, options, namespace),
        // The server reads the numbers.
        role("Role", AUDIT_RESULTS, namespace, &results(&["get", "watch"])),
        binding_to(NAME, "RoleBinding", AUDIT_RESULTS, options, namespace),
        cron_job(options, version),
    ]
}

/// The rights to read what the audit checks, and to write its own policy reports.
fn rules() -> Vec<Value> {
    let list = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["list"]});
    let reports = |resources: &[&str], verbs: &[&str]| {
        json!({"apiGroups": ["openreports.io", "wgpolicyk8s.io"], "resources": resources,
            "resourceNames": [AUDIT], "verbs": verbs})
    };
    vec![
        list(
            "",
            &["namespaces", "pods", "podtemplates", "replicationcontrollers", "serviceaccounts"],
        ),
        list("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
        list("batch", &["cronjobs", "jobs"]),
        list(GROUP, &[PLURAL]),
        list(API_GROUP, &["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
        list(
            "admissionregistration.k8s.io",
            &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
        ),
        json!({"apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
            "resourceNames": [GUARD, ENGINE_CHECK], "verbs": ["get"]}),
        json!({"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"],
            "verbs": ["create"]}),
        // With its own role go the results.
        json!({"apiGroups": [API_GROUP], "resources": ["clusterroles"], "resourceNames": [AUDIT],
            "verbs": ["get"]}),
        reports(&["clusterpolicyreports", "clusterreports"], &["create", "delete", "get", "patch"]),
        reports(&["policyreports", "reports"], &["create", "delete", "get", "list", "patch"]),
    ]
}

fn cron_job(options: &Options, version: Version) -> Value {
    let api_version = if version.has_cron_job_v1() { "batch/v1" } else { "batch/v1beta1" };
    let mut node_selector = json!({"kubernetes.io/os": "linux"});
    merge(&mut node_selector, json!(options.node_selector));
    let mut pod = json!({
        "serviceAccountName": AUDIT,
        "restartPolicy": "Never",
        "nodeSelector": node_selector,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "audit",
            "image": options.image,
            "args": ["audit"],
            "resources": {
                "requests": {"cpu": "50m", "memory": "64Mi"},
                "limits": {"memory": "256Mi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
        }],
    });
    if !options.image_pull_secrets.is_empty() {
        let secrets: Vec<Value> =
            options.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
        merge(&mut pod, json!({"imagePullSecrets": secrets}));
    }
    if !options.tolerations.is_empty() {
        merge(&mut pod, json!({"tolerations": options.tolerations}));
    }
    // Not the label of the server's pods, which the Service selects.
    let pod_labels = json!({"app.kubernetes.io/name": AUDIT, PART_OF.0: PART_OF.1});
    json!({
        "apiVersion": api_version,
        "kind": "CronJob",
        "metadata": {"name": AUDIT, "namespace": options.namespace, "labels": labels()},
        "spec": {
            "schedule": options.audit_schedule,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 600,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"spec": {
                "backoffLimit": 2,
                "activeDeadlineSeconds": DEADLINE,
                "template": {"metadata": {"labels": pod_labels}, "spec": pod},
            }},
        },
    })
}
