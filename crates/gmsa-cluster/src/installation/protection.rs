//! The protection: a `ValidatingAdmissionPolicy` that lets only cluster administrators change what an
//! installation has for the whole cluster, whatever roles others were given.
//!
//! The API server exempts admission policies and their bindings from every policy that it reads from
//! the API, so this one cannot protect itself, the guard, nor the policies of the engine. One that it reads
//! from a file can.

use gmsa_core::names::{
    DOMAIN, EARLY_WARNINGS, GROUP, GUARD, INDEX, INDEX_KEEPER, INDEX_PLURAL, NAME, PLURAL,
    PROTECTION,
};
use serde_json::{Value, json};

use super::guard::{as_variables, binding, constraints, policy, quoted};
use super::{Certificates, Options, Version, engine};

/// The policies, and their bindings, that an API server's own files can protect.
const POLICIES: [&str; 4] = [
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
];

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
    let name = "oldObject.metadata.name";
    let engines = [false, true]
        .map(|is_literal| format!("{name}.startsWith({})", quoted(engine::prefix_of(is_literal))));
    let is_policy = format!("{name} in {} || {}", list(&[GUARD, PROTECTION]), engines.join(" || "));
    let resources = list(&POLICIES);
    if let Some(expression) = spec.pointer_mut("/matchConditions/0/expression") {
        let others = expression.as_str().unwrap_or_default();
        let condition =
            format!("request.resource.resource in {resources} ? ({is_policy}) : ({others})");
        *expression = json!(condition);
    }
    let rule = spec.pointer_mut("/matchConstraints/resourceRules/0/resources");
    if let Some(Value::Array(rule)) = rule {
        rule.extend(POLICIES.map(Value::from));
    }
    spec
}

pub(super) fn spec(options: &Options) -> Value {
    let rule = |group: &str, operations: &[&str], resources: &[&str]| {
        json!({"apiGroups": [group], "apiVersions": ["*"], "operations": operations,
            "resources": resources, "scope": "Cluster"})
    };
    let changes = ["UPDATE", "DELETE"];
    let variables = [
        ("isAdministrator", "authorizer.group('*').resource('*').check('*').allowed()".to_owned()),
        ("isServer", is_server(options)),
        ("isTrusted", is_trusted(options).to_owned()),
        ("changesOnlyTrust", changes_only_trust()),
        ("keepsIndex", keeps_index()),
    ];
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": constraints(vec![
            rule(
                "admissionregistration.k8s.io",
                &changes,
                &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            ),
            rule("apiextensions.k8s.io", &changes, &["customresourcedefinitions"]),
            rule("rbac.authorization.k8s.io", &changes, &["clusterroles", "clusterrolebindings"]),
            // Users who may create an index, while there is none, could forge it.
            rule(DOMAIN, &["CREATE", "UPDATE", "DELETE"], &[INDEX_PLURAL]),
        ]),
        "matchConditions": [{"name": "is-ours", "expression": is_ours()}],
        "variables": as_variables(variables),
        "validations": [{
            "expression": "variables.isAdministrator || \
                (variables.isTrusted && variables.changesOnlyTrust) || \
                (variables.isServer && variables.keepsIndex)",
            "reason": "Forbidden",
            "message": "only cluster administrators may change what the GMSA webhook has for the \
                whole cluster",
            "messageExpression": format!(
                "'only cluster administrators may change ' + request.resource.resource + ' ' + {NAMED} + \
                 ', which the admission of GMSAs needs; install or upgrade as one with `kubectl gmsa \
                 upgrade`, or end the protection with `kubectl gmsa upgrade --protect=false`'"
            ),
        }],
    })
}

/// The name of what is changed. By the old object: a request that deletes several names none of them.
const NAMED: &str = "(request.operation == 'CREATE' ? object : oldObject).metadata.name";

/// Whether it is of the installation. The index has a name that other objects may have, too.
fn is_ours() -> String {
    let (specs, index) = (format!("{PLURAL}.{GROUP}"), format!("{INDEX_PLURAL}.{DOMAIN}"));
    let names = [NAME, EARLY_WARNINGS, INDEX_KEEPER, &specs, &index];
    format!(
        "request.resource.group == '{DOMAIN}' ? {NAMED} == '{INDEX}' : {NAMED} in {}",
        list(&names)
    )
}

fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!("[{}]", names.join(", "))
}

/// Whether the server itself asks.
fn is_server(options: &Options) -> String {
    format!("request.userInfo.username == 'system:serviceaccount:{}:{NAME}'", options.namespace)
}

/// Who keeps the CA bundle of the webhook configurations up to date: the server, or whatever
/// cert-manager runs as.
fn is_trusted(options: &Options) -> &'static str {
    match options.certificates {
        Certificates::CertManager => "true",
        Certificates::SelfManaged | Certificates::Files => "variables.isServer",
    }
}

/// Whether the index is written. The server never deletes it.
fn keeps_index() -> String {
    format!("request.resource.group == '{DOMAIN}' && request.operation != 'DELETE'")
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
