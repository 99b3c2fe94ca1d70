//! The service account and its rights: contract of the least that the server needs.

use gmsa_core::names::{EARLY_WARNINGS, GROUP, NAME, PLURAL, SECRET, TLS_PROFILE};
use serde_json::{Value, json};

use super::{Certificates, Options, labels, merge};

pub(super) const API_GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn objects(options: &Options) -> Vec<Value> {
    let managed = options.certificates == Certificates::SelfManaged;
    let mut rules = vec![
        json!({"apiGroups": [GROUP], "resources": [PLURAL],
            "verbs": ["get", "list", "watch"]}),
        json!({"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"],
            "verbs": ["create"]}),
        json!({"apiGroups": [API_GROUP],
            "resources": ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
            "verbs": ["list", "watch"]}),
    ];
    if managed {
        rules.push(json!({"apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "resourceNames": [NAME], "verbs": ["get", "watch", "patch"]}));
    }
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": NAME, "namespace": options.namespace, "labels": labels()}}),
        role("ClusterRole", NAME, None, &rules),
        binding("ClusterRoleBinding", NAME, options, None),
    ];
    if managed {
        let rules = [
            json!({"apiGroups": [""], "resources": ["secrets"],
                "resourceNames": [SECRET], "verbs": ["get", "create", "patch", "watch"]}),
            json!({"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}),
        ];
        objects.push(role("Role", NAME, Some(&options.namespace), &rules));
        objects.push(binding("RoleBinding", NAME, options, Some(&options.namespace)));
    }
    if options.early_warnings {
        objects.push(role("ClusterRole", EARLY_WARNINGS, None, &early_warnings(managed)));
        objects.push(binding("ClusterRoleBinding", EARLY_WARNINGS, options, None));
    }
    if options.tls.follow_cluster_profile {
        let rules = [json!({"apiGroups": ["config.openshift.io"],
            "resources": ["apiservers"], "resourceNames": ["cluster"], "verbs": ["get"]})];
        objects.push(role("ClusterRole", TLS_PROFILE, None, &rules));
        objects.push(binding("ClusterRoleBinding", TLS_PROFILE, options, None));
    }
    if options.viewer_role {
        let rules = [json!({"apiGroups": [GROUP],
            "resources": [PLURAL], "verbs": ["get", "list", "watch"]})];
        let mut viewer = role("ClusterRole", "gmsa-webhook-viewer", None, &rules);
        if let Some(labels) = viewer.pointer_mut("/metadata/labels") {
            merge(labels, json!({"rbac.authorization.k8s.io/aggregate-to-view": "true"}));
        }
        objects.push(viewer);
    }
    objects
}

/// Rights to find the users of a deleted credential spec, and to keep the CA bundle of its configuration.
fn early_warnings(managed: bool) -> Vec<Value> {
    let mut rules = vec![
        json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}),
        json!({"apiGroups": ["apps"],
            "resources": ["deployments", "replicasets", "statefulsets", "daemonsets"],
            "verbs": ["list"]}),
        json!({"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["list"]}),
    ];
    if managed {
        rules.push(json!({"apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["validatingwebhookconfigurations"],
            "resourceNames": [EARLY_WARNINGS], "verbs": ["get", "watch", "patch"]}));
    }
    rules
}

pub(super) fn role(kind: &str, name: &str, namespace: Option<&str>, rules: &[Value]) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": metadata(name, namespace),
        "rules": rules,
    })
}

fn binding(kind: &str, name: &str, options: &Options, namespace: Option<&str>) -> Value {
    binding_to(NAME, kind, name, options, namespace)
}

/// The binding of the role of the same name to a service account.
pub(super) fn binding_to(
    account: &str,
    kind: &str,
    name: &str,
    options: &Options,
    namespace: Option<&str>,
) -> Value {
    let of = if namespace.is_some() { "Role" } else { "ClusterRole" };
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": metadata(name, namespace),
        "roleRef": {"apiGroup": API_GROUP, "kind": of, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": options.namespace}],
    })
}

fn metadata(name: &str, namespace: Option<&str>) -> Value {
    let mut metadata = json!({"name": name, "labels": labels()});
    if let Some(namespace) = namespace {
        merge(&mut metadata, json!({"namespace": namespace}));
    }
    metadata
}
