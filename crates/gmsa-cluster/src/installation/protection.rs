//! The protection: a `ValidatingAdmissionPolicy` that lets only cluster administrators change what an
//! installation has for the whole cluster, whatever roles others were given.
//!
//! The API server exempts admission policies and their bindings from every policy that it reads from
//! the API, so this one cannot protect itself nor the guard.

use gmsa_core::names::{EARLY_WARNINGS, GROUP, GUARD, NAME, PLURAL, PROTECTION};
use serde_json::{Value, json};

use super::guard::{binding, policy};
use super::{Certificates, Options, Version};

/// The policy and its binding; none where the API server has no policies, or if it is not wanted.
pub(super) fn objects(options: &Options, version: Version) -> Vec<Value> {
    if !(options.protect && version.has_policies()) {
        return Vec::new();
    }
    vec![policy(PROTECTION, &spec(options)), binding(PROTECTION)]
}

/// The policy's spec where the API server reads it from a file: one that it reads so also judges
/// changes of the policies and bindings in the API.
pub(super) fn spec_in_a_file(options: &Options) -> Value {
    let mut spec = spec(options);
    let names = format!("['{NAME}', '{EARLY_WARNINGS}', '{GUARD}', '{PROTECTION}'");
    if let Some(expression) = spec.pointer_mut("/matchConditions/0/expression")
        && let Some(text) = expression.as_str()
    {
        *expression = json!(text.replace(&format!("['{NAME}', '{EARLY_WARNINGS}'"), &names));
    }
    let resources = spec.pointer_mut("/matchConstraints/resourceRules/0/resources");
    if let Some(Value::Array(resources)) = resources {
        let policies = ["validatingadmissionpolicies", "validatingadmissionpolicybindings"];
        resources.extend(policies.map(Value::from));
    }
    spec
}

pub(super) fn spec(options: &Options) -> Value {
    let rule = |group: &str, resources: &[&str]| {
        json!({"apiGroups": [group], "apiVersions": ["*"], "operations": ["UPDATE", "DELETE"],
            "resources": resources, "scope": "Cluster"})
    };
    let variables = [
        ("isAdministrator", "authorizer.group('*').resource('*').check('*').allowed()".to_owned()),
        ("isTrusted", is_trusted(options)),
        ("changesOnlyTrust", changes_only_trust()),
    ]
    .map(|(name, expression)| json!({"name": name, "expression": expression}));
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": {
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {},
            "resourceRules": [
                rule(
                    "admissionregistration.k8s.io",
                    &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
                ),
                rule("apiextensions.k8s.io", &["customresourcedefinitions"]),
                rule(
                    "rbac.authorization.k8s.io",
                    &["clusterroles", "clusterrolebindings"],
                ),
            ],
        },
        // By the old object: a request that deletes several names none of them.
        "matchConditions": [{
            "name": "is-ours",
            "expression": format!(
                "oldObject.metadata.name in ['{NAME}', '{EARLY_WARNINGS}', '{PLURAL}.{GROUP}']"
            ),
        }],
        "variables": variables,
        "validations": [{
            "expression": "variables.isAdministrator || \
                (variables.isTrusted && variables.changesOnlyTrust)",
            "reason": "Forbidden",
            "message": "only cluster administrators may change what the GMSA webhook has for the \
                whole cluster",
            "messageExpression": "'only cluster administrators may change ' + \
                request.resource.resource + ' ' + oldObject.metadata.name + \
                ', which the GMSA webhook needs; install or upgrade as one with `kubectl gmsa \
                upgrade`, or end the protection with `kubectl gmsa upgrade --protect=false`'",
        }],
    })
}

/// Who keeps the CA bundle of the webhook configurations up to date: the server, or whatever
/// cert-manager runs as.
fn is_trusted(options: &Options) -> String {
    match options.certificates {
        Certificates::CertManager => "true".to_owned(),
        Certificates::SelfManaged | Certificates::Files => format!(
            "request.userInfo.username == 'system:serviceaccount:{}:{NAME}'",
            options.namespace
        ),
    }
}

/// Whether an update leaves all of a webhook configuration's webhooks as they are, but for their CA
/// bundles.
fn changes_only_trust() -> String {
    let same = |key: &str| format!("now.{key} == was.{key}");
    let may_be_absent = |key: &str| {
        format!("has(now.{key}) == has(was.{key}) && (!has(now.{key}) || {})", same(key))
    };
    // The API server fills in the others.
    let mut all: Vec<String> = [
        "name",
        "clientConfig.service",
        "admissionReviewVersions",
        "sideEffects",
        "failurePolicy",
        "matchPolicy",
        "timeoutSeconds",
        "namespaceSelector",
        "objectSelector",
        "rules",
    ]
    .map(same)
    .into();
    all.extend(["matchConditions", "reinvocationPolicy"].map(may_be_absent));
    format!(
        "request.operation == 'UPDATE' && \
         request.resource.group == 'admissionregistration.k8s.io' && \
         object.metadata.labels == oldObject.metadata.labels && \
         object.webhooks.size() == oldObject.webhooks.size() && \
         object.webhooks.all(now, oldObject.webhooks.exists(was, {}))",
        all.join(" && ")
    )
}
