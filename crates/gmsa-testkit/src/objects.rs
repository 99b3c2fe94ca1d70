//! Objects that tests are about.

use serde_json::{Value, json};

/// The contents of a credential spec for an account of CONTOSO.
pub fn contents(account: &str) -> Value {
    json!({
        "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": [
            {"Name": account, "Scope": "CONTOSO"}, {"Name": account, "Scope": "contoso.com"}]},
        "CmsPlugins": ["ActiveDirectory"],
        "DomainJoinConfig": {"DnsName": "contoso.com", "DnsTreeName": "contoso.com",
            "Guid": "244818ae-87ac-4fcd-92ec-e79e5252348a", "MachineAccountName": account,
            "NetBiosName": "CONTOSO", "Sid": "S-1-5-21-2126449477-2524075714-3094792973"},
    })
}

/// A credential spec resource.
pub fn credential_spec(name: &str, account: &str) -> Value {
    json!({"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec",
        "metadata": {"name": name}, "credspec": contents(account)})
}

/// The cluster role that allows to use a name; it has the credential spec's name.
pub fn role(name: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": name}, "rules": [{"apiGroups": ["windows.k8s.io"],
            "resources": ["gmsacredentialspecs"], "verbs": ["use"], "resourceNames": [name]}]})
}

/// The binding of that role to a service account.
pub fn binding(name: &str, namespace: &str, account: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}})
}

/// A schema for any contents.
pub fn any() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// The definition of a namespaced kind that only some clusters have.
pub fn definition(group: &str, kind: &str, plural: &str, schema: &Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}}]}})
}

/// `windowsOptions` as a security context.
pub fn gmsa(name: Option<&str>, contents: Option<&str>) -> Value {
    let mut options = json!({});
    if let Some(name) = name {
        options["gmsaCredentialSpecName"] = json!(name);
    }
    if let Some(contents) = contents {
        options["gmsaCredentialSpec"] = json!(contents);
    }
    json!({ "windowsOptions": options })
}

/// A pod with one container, `iis`, and a security context for the pod.
pub fn pod(namespace: &str, name: &str, context: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
        "spec": {"securityContext": context, "nodeSelector": {"kubernetes.io/os": "windows"},
            "containers": [{"name": "iis", "image": "iis"}]}})
}

/// A deployment of such pods.
pub fn deployment(namespace: &str, name: &str, pod: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod["spec"]}}})
}

/// An `AdmissionReview` of a pod's creation.
pub fn review(namespace: &str, pod: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": namespace, "operation": "CREATE", "object": pod}})
}

/// An `AdmissionReview` of an update of `pods/ephemeralcontainers`.
pub fn ephemeral_review(namespace: &str, old: &Value, new: &Value) -> Value {
    let mut review = review(namespace, new);
    let request = &mut review["request"];
    request["operation"] = json!("UPDATE");
    request["subResource"] = json!("ephemeralcontainers");
    request["oldObject"] = old.clone();
    review
}
