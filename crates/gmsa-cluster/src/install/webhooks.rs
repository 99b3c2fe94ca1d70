//! The webhook configurations.

use serde_json::{Value, json};

use super::{
    Certificates, DISABLED, ENABLED, NAME, NAMESPACE_LABEL, Options, Version, labels, merge,
};

/// The CEL expression (API reference, `MatchCondition`) that says whether a pod uses a GMSA: the
/// same as whether the pod has a [`gmsa_core::pod::Reference`].
///
/// It begins with `has(object.spec.containers)`, because an error would refuse the pod.
pub const MATCH_CONDITION: &str = "has(object.spec.containers) && (\
    (has(object.spec.securityContext) && has(object.spec.securityContext.windowsOptions) && \
    (has(object.spec.securityContext.windowsOptions.gmsaCredentialSpecName) || \
    has(object.spec.securityContext.windowsOptions.gmsaCredentialSpec))) || \
    object.spec.containers.exists(c, has(c.securityContext) && \
    has(c.securityContext.windowsOptions) && \
    (has(c.securityContext.windowsOptions.gmsaCredentialSpecName) || \
    has(c.securityContext.windowsOptions.gmsaCredentialSpec))) || \
    (has(object.spec.initContainers) && object.spec.initContainers.exists(c, \
    has(c.securityContext) && has(c.securityContext.windowsOptions) && \
    (has(c.securityContext.windowsOptions.gmsaCredentialSpecName) || \
    has(c.securityContext.windowsOptions.gmsaCredentialSpec)))) || \
    (has(object.spec.ephemeralContainers) && object.spec.ephemeralContainers.exists(c, \
    has(c.securityContext) && has(c.securityContext.windowsOptions) && \
    (has(c.securityContext.windowsOptions.gmsaCredentialSpecName) || \
    has(c.securityContext.windowsOptions.gmsaCredentialSpec)))))";

/// The label of the pods by which `install` asks whether the webhooks answer.
pub const PROBE_LABEL: &str = "gmsa-webhook/probe";

pub(super) fn objects(options: &Options, version: Version) -> Vec<Value> {
    let policy = if options.mutating_may_be_skipped { "Ignore" } else { "Fail" };
    vec![
        configuration("MutatingWebhookConfiguration", "mutate", policy, options, version),
        // Nothing makes this one anything else: who could make it time out would get in.
        configuration("ValidatingWebhookConfiguration", "validate", "Fail", options, version),
    ]
}

fn configuration(
    kind: &str,
    path: &str,
    failure_policy: &str,
    options: &Options,
    version: Version,
) -> Value {
    let mut webhook = json!({
        "name": format!("{path}.gmsa-webhook.kube-gmsa.io"),
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": failure_policy,
        "matchPolicy": "Equivalent",
        "timeoutSeconds": options.timeout_seconds,
        "clientConfig": {"service": {
            "name": NAME,
            "namespace": options.namespace,
            "path": format!("/{path}"),
            "port": 443,
        }},
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["pods"], "scope": "Namespaced"},
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                "resources": ["pods/ephemeralcontainers"], "scope": "Namespaced"},
        ],
    });
    if version.filters() {
        merge(
            &mut webhook,
            json!({"matchConditions": [{"name": "uses-gmsa", "expression": MATCH_CONDITION}]}),
        );
    }
    let namespaces = match (options.namespaces_opt_in, version.filters()) {
        (true, _) => Some((String::from("In"), ENABLED)),
        (false, false) => Some((String::from("NotIn"), DISABLED)),
        (false, true) => None,
    };
    if let Some((operator, value)) = namespaces {
        merge(
            &mut webhook,
            json!({"namespaceSelector": {"matchExpressions": [
                {"key": NAMESPACE_LABEL, "operator": operator, "values": [value]},
            ]}}),
        );
    }
    if path == "mutate" {
        // A name that a later webhook puts in is never expanded without it.
        merge(&mut webhook, json!({"reinvocationPolicy": "IfNeeded"}));
    }
    let mut metadata = json!({"name": NAME, "labels": labels()});
    if options.certificates == Certificates::CertManager {
        merge(
            &mut metadata,
            json!({"annotations":
                {"cert-manager.io/inject-ca-from": format!("{}/{NAME}", options.namespace)}}),
        );
    }
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "webhooks": [webhook],
    })
}
