//! The webhook configurations.

use gmsa_core::names::{
    self, AKS_ENFORCER, CERT_MANAGER_CA, DISABLED, EARLY_WARNINGS, ENABLED, GROUP, INDEX_KEEPER,
    NAME, NAME_LABEL, NAMESPACE_LABEL, PLURAL, SYSTEM_NAMESPACES,
};
use gmsa_core::rbac::{LabelSelector, Requirement};
use serde_json::{Value, json};

use super::{Certificates, NamespaceRequirement, Options, Version, labels, merge};

/// Whether a pod's spec uses a GMSA, in CEL.
macro_rules! uses_gmsa {
    ($spec:literal) => {
        concat!(
            "has(",
            $spec,
            ".containers) && (\
            (has(",
            $spec,
            ".securityContext) && has(",
            $spec,
            ".securityContext.windowsOptions) && \
            (has(",
            $spec,
            ".securityContext.windowsOptions.gmsaCredentialSpecName) || \
            has(",
            $spec,
            ".securityContext.windowsOptions.gmsaCredentialSpec))) || \
            ",
            $spec,
            ".containers.exists(c, has(c.securityContext) && \
            has(c.securityContext.windowsOptions) && \
            (has(c.securityContext.windowsOptions.gmsaCredentialSpecName) || \
            has(c.securityContext.windowsOptions.gmsaCredentialSpec))) || \
            (has(",
            $spec,
            ".initContainers) && ",
            $spec,
            ".initContainers.exists(c, \
            has(c.securityContext) && has(c.securityContext.windowsOptions) && \
            (has(c.securityContext.windowsOptions.gmsaCredentialSpecName) || \
            has(c.securityContext.windowsOptions.gmsaCredentialSpec)))) || \
            (has(",
            $spec,
            ".ephemeralContainers) && ",
            $spec,
            ".ephemeralContainers.exists(c, \
            has(c.securityContext) && has(c.securityContext.windowsOptions) && \
            (has(c.securityContext.windowsOptions.gmsaCredentialSpecName) || \
            has(c.securityContext.windowsOptions.gmsaCredentialSpec)))))"
        )
    };
}

/// The CEL expression (API reference, `MatchCondition`) that says whether a new pod uses a GMSA: the
/// same as whether the pod has a [`gmsa_core::pod::Reference`].
///
/// It begins with `has(object.spec.containers)`, because an error would refuse the pod.
pub(super) const USES_GMSA: &str = uses_gmsa!("object.spec");

/// The CEL expression that says whether a request brings a GMSA in: a new pod that uses one, or a new
/// ephemeral container that does. An ephemeral container without one changes nothing, also in a pod whose
/// identity it shares: `kubectl debug` works while the webhook is away.
pub const MATCH_CONDITION: &str = concat!(
    "request.operation == 'UPDATE' ? (has(object.spec.ephemeralContainers) && \
     object.spec.ephemeralContainers.exists(c, has(c.securityContext) && \
     has(c.securityContext.windowsOptions) && \
     (has(c.securityContext.windowsOptions.gmsaCredentialSpecName) || \
     has(c.securityContext.windowsOptions.gmsaCredentialSpec)) && \
     !(has(oldObject.spec.ephemeralContainers) && c in oldObject.spec.ephemeralContainers))) : (",
    uses_gmsa!("object.spec"),
    ")"
);

/// Whether metadata has one of the annotations of Kubernetes 1.14, which nothing reads.
macro_rules! has_old_annotation {
    ($metadata:literal) => {
        concat!(
            "(has(",
            $metadata,
            ".annotations) && ",
            $metadata,
            ".annotations.exists(k, \
            k.contains('alpha.windows.kubernetes.io/gmsa-credential-spec')))"
        )
    };
}

/// The CEL expression that says whether the pods of a workload's template use a GMSA, or are meant
/// to by annotations that nothing reads; the template of a `CronJob` stands deeper.
pub const EARLY_WARNINGS_CONDITION: &str = concat!(
    "(has(object.spec.template) && (",
    uses_gmsa!("object.spec.template.spec"),
    " || (has(object.spec.template.metadata) && ",
    has_old_annotation!("object.spec.template.metadata"),
    "))) || (has(object.spec.jobTemplate) && (",
    uses_gmsa!("object.spec.jobTemplate.spec.template.spec"),
    " || (has(object.spec.jobTemplate.spec.template.metadata) && ",
    has_old_annotation!("object.spec.jobTemplate.spec.template.metadata"),
    "))) || ",
    has_old_annotation!("object.metadata")
);

pub(super) fn objects(options: &Options, version: Version) -> Vec<Value> {
    let policy = if options.mutating_may_be_skipped { "Ignore" } else { "Fail" };
    let pods = |kind: &str, path: &str, policy: &str| {
        configuration(kind, NAME, options, &[pod_webhook(path, policy, options, version)])
    };
    let mut all = if options.has_policy_engine(version) {
        let webhooks = [index_webhook(options)];
        vec![configuration("ValidatingWebhookConfiguration", INDEX_KEEPER, options, &webhooks)]
    } else {
        vec![
            pods("MutatingWebhookConfiguration", "mutate", policy),
            // Nothing makes this one anything else: who could make it time out would get in.
            pods("ValidatingWebhookConfiguration", "validate", "Fail"),
        ]
    };
    if options.early_warnings {
        let webhooks = [template_webhook(options, version), credspec_webhook(options)];
        all.push(configuration(
            "ValidatingWebhookConfiguration",
            EARLY_WARNINGS,
            options,
            &webhooks,
        ));
    }
    all
}

/// A webhook without what it is sent.
fn webhook(path: &str, failure_policy: &str, timeout: u32, options: &Options) -> Value {
    json!({
        "name": names::webhook(path),
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": failure_policy,
        "matchPolicy": "Equivalent",
        "timeoutSeconds": timeout,
        // The defaults, set explicitly so that an apply removes selectors that exclude pods.
        "namespaceSelector": {},
        "objectSelector": {},
        "clientConfig": {"service": {
            "name": NAME,
            "namespace": options.namespace,
            "path": format!("/{path}"),
            "port": 443,
        }},
    })
}

fn pod_webhook(path: &str, failure_policy: &str, options: &Options, version: Version) -> Value {
    let mut webhook = webhook(path, failure_policy, options.timeout_seconds, options);
    merge(
        &mut webhook,
        json!({"rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["pods"], "scope": "Namespaced"},
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                "resources": ["pods/ephemeralcontainers"], "scope": "Namespaced"},
        ]}),
    );
    filter(&mut webhook, MATCH_CONDITION, options, version);
    if path == "mutate" {
        // A name that a later webhook puts in is never expanded without it.
        merge(&mut webhook, json!({"reinvocationPolicy": "IfNeeded"}));
    }
    webhook
}

/// How long a warning may delay a request, in seconds.
const PATIENCE: u32 = 3;

fn warning_webhook(path: &str, options: &Options) -> Value {
    // What only warns must never deny a request, nor delay it for long.
    webhook(path, "Ignore", options.timeout_seconds.min(PATIENCE), options)
}

fn template_webhook(options: &Options, version: Version) -> Value {
    let mut webhook = warning_webhook("warn", options);
    let rule = |group: &str, versions: &[&str], resources: &[&str]| {
        json!({"apiGroups": [group], "apiVersions": versions, "operations": ["CREATE", "UPDATE"],
            "resources": resources, "scope": "Namespaced"})
    };
    merge(
        &mut webhook,
        json!({"rules": [
            rule("apps", &["v1"], &["deployments", "replicasets", "statefulsets", "daemonsets"]),
            // Servers before 1.21 know CronJobs as v1beta1 only.
            rule("batch", &["v1", "v1beta1"], &["jobs", "cronjobs"]),
        ]}),
    );
    filter(&mut webhook, EARLY_WARNINGS_CONDITION, options, version);
    webhook
}

fn credspec_webhook(options: &Options) -> Value {
    let mut webhook = warning_webhook("validate-credspec", options);
    merge(
        &mut webhook,
        json!({"rules": [
            {"apiGroups": [GROUP], "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE", "DELETE"],
                "resources": [PLURAL], "scope": "Cluster"},
        ]}),
    );
    webhook
}

/// What puts a credential spec into the index while it is created. Without an answer it comes in a moment
/// later.
fn index_webhook(options: &Options) -> Value {
    let mut webhook = warning_webhook("index-credspec", options);
    merge(
        &mut webhook,
        json!({
            // Nothing is written for a dry run.
            "sideEffects": "NoneOnDryRun",
            "rules": [
                {"apiGroups": [GROUP], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": [PLURAL], "scope": "Cluster"},
            ],
        }),
    );
    webhook
}

/// Sends only pods that use a GMSA, if the API server can filter them, and only from the namespaces
/// that are to be sent.
fn filter(webhook: &mut Value, condition: &str, options: &Options, version: Version) {
    if version.filters() {
        merge(
            webhook,
            json!({"matchConditions": [{"name": "uses-gmsa", "expression": condition}]}),
        );
    }
    let requirements = namespace_requirements(options, version);
    if !requirements.is_empty() {
        merge(webhook, json!({"namespaceSelector": {"matchExpressions": requirements}}));
    }
}

/// What the labels of a namespace must be so that its pods are sent.
#[must_use]
pub fn namespace_requirements(options: &Options, version: Version) -> Vec<NamespaceRequirement> {
    let own = |operator: &str, value: &str| NamespaceRequirement {
        key: NAMESPACE_LABEL.to_owned(),
        operator: operator.to_owned(),
        values: vec![value.to_owned()],
    };
    let mut requirements = match (options.namespaces_opt_in, version.filters()) {
        (true, _) => vec![own("In", ENABLED)],
        (false, false) => vec![own("NotIn", DISABLED)],
        (false, true) => Vec::new(),
    };
    if options.skip_system_namespaces {
        requirements.push(NamespaceRequirement {
            key: NAME_LABEL.to_owned(),
            operator: "NotIn".to_owned(),
            values: SYSTEM_NAMESPACES.map(str::to_owned).into(),
        });
    }
    for taken_over in &options.namespace_requirements {
        if !requirements.contains(taken_over) {
            requirements.push(taken_over.clone());
        }
    }
    requirements
}

/// Which namespaces meet these requirements, so that their pods are sent.
#[must_use]
pub fn sent(requirements: &[NamespaceRequirement]) -> LabelSelector {
    let requirement = |one: &NamespaceRequirement| Requirement {
        key: one.key.clone(),
        operator: one.operator.clone(),
        values: one.values.clone(),
    };
    LabelSelector {
        match_expressions: requirements.iter().map(requirement).collect(),
        ..LabelSelector::default()
    }
}

fn configuration(kind: &str, name: &str, options: &Options, webhooks: &[Value]) -> Value {
    let mut annotations = json!({AKS_ENFORCER: "true"});
    if options.certificates == Certificates::CertManager {
        let certificate = format!("{}/{CERT_MANAGER_CA}", options.namespace);
        merge(&mut annotations, json!({"cert-manager.io/inject-ca-from": certificate}));
    }
    let metadata = json!({"name": name, "labels": labels(), "annotations": annotations});
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "webhooks": webhooks,
    })
}
