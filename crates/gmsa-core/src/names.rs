//! The names under which the project and its custom resource appear in a cluster, each once.
//!
//! The project's domain is written in this file alone: `cargo xtask check` refuses a second one.

/// Puts the domain between two texts.
macro_rules! domain {
    ($before:literal, $after:literal) => {
        concat!($before, "kube-gmsa.dev", $after)
    };
}

/// The domain of the project's API versions, labels, annotations and webhook names.
pub const DOMAIN: &str = domain!("", "");
/// The `apiVersion` of every report.
pub const API_VERSION: &str = domain!("", "/v1");

/// The API group of the custom resource.
pub const GROUP: &str = "windows.k8s.io";
/// The kind of the custom resource.
pub const KIND: &str = "GMSACredentialSpec";
/// The name of the custom resource in paths.
pub const PLURAL: &str = "gmsacredentialspecs";

/// The kind of the index of credential specs, in [`API_VERSION`].
pub const INDEX_KIND: &str = "GMSAIndex";
/// The name of that kind in paths.
pub const INDEX_PLURAL: &str = "gmsaindexes";
/// The name of the one index.
pub const INDEX: &str = "gmsa";

/// The field manager of the plugin.
pub const FIELD_MANAGER: &str = "kubectl-gmsa";
/// The field manager of the server, which also reports its events.
pub const SERVER_FIELD_MANAGER: &str = "gmsa-webhook";
/// The field manager of the audit's results.
pub const AUDIT_FIELD_MANAGER: &str = "gmsa-webhook-audit";

/// The name of the namespace, Deployment, Service, service account, disruption budget and webhook
/// configurations of an installation.
pub const NAME: &str = "gmsa-webhook";
/// The Secret in which the server keeps its certificates.
pub const SECRET: &str = "gmsa-webhook-certificates";
/// The name of the CA that cert-manager makes: its Issuer, Certificate and Secret.
pub const CERT_MANAGER_CA: &str = "gmsa-webhook-ca";
/// The name of the configuration, role and binding that only early warnings need.
pub const EARLY_WARNINGS: &str = "gmsa-webhook-early-warnings";
/// The name of the configuration, roles and bindings by which the server keeps the index.
pub const INDEX_KEEPER: &str = "gmsa-webhook-index";
/// The name of the role by which the server reads the TLS profile of an OpenShift cluster, and of its
/// binding.
pub const TLS_PROFILE: &str = "gmsa-webhook-tls-profile";
/// The name of the admission policy that guards pods, and of its binding.
pub const GUARD: &str = "gmsa-webhook-guard";
/// The name of the admission policy that protects the installation, and of its binding.
pub const PROTECTION: &str = "gmsa-webhook-protection";
/// The name of the policy of the engine that expands pods, and of its binding. The names of all of the
/// engine's policies begin alike, and each binding has its policy's.
pub const ENGINE_EXPAND: &str = "gmsa-engine-expand";
/// The name of the policy that checks pods which were expanded.
pub const ENGINE_CHECK: &str = "gmsa-engine-check";
/// The name of the policy that refuses pods which were not.
pub const ENGINE_GUARD: &str = "gmsa-engine-guard";
/// The name of the policy that holds back the contents of new ephemeral containers.
pub const ENGINE_HOLD_EPHEMERAL: &str = "gmsa-engine-hold-ephemeral";
/// The name of the policy that expands ephemeral containers.
pub const ENGINE_EXPAND_EPHEMERAL: &str = "gmsa-engine-expand-ephemeral";
/// The name of the policy that checks ephemeral containers.
pub const ENGINE_CHECK_EPHEMERAL: &str = "gmsa-engine-check-ephemeral";
/// The name of the policy that refuses ephemeral containers which were not checked.
pub const ENGINE_GUARD_EPHEMERAL: &str = "gmsa-engine-guard-ephemeral";
/// The name of everything that only the audit needs, and of what it writes.
pub const AUDIT: &str = "gmsa-webhook-audit";
/// The name of the role by which the server reads what the audit counted.
pub const AUDIT_RESULTS: &str = "gmsa-webhook-audit-results";
/// The namespace of the temporary installation of an adoption, and the name of its cluster-scoped
/// objects.
pub const TAKEOVER: &str = "gmsa-webhook-takeover";

/// The label of every object of an installation, with its value.
pub const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "kube-gmsa");
/// The annotation that keeps the Admissions Enforcer of AKS from adding to the `namespaceSelector` of a
/// webhook configuration (AKS documentation, "Can admission controller webhooks impact kube-system and
/// internal AKS namespaces?").
pub const AKS_ENFORCER: &str = "admissions.enforcer/disabled";
/// The labels of namespaces by which the Admissions Enforcer of AKS excludes them from webhooks, with
/// their values.
pub const AKS_ENFORCER_LABELS: [(&str, &str); 2] =
    [("control-plane", "true"), ("kubernetes.azure.com/managedby", "aks")];

/// Namespaces of Kubernetes itself that some clusters keep webhooks out of.
pub const SYSTEM_NAMESPACES: [&str; 2] = ["kube-system", "kube-node-lease"];

/// The label by which API servers from 1.22 name a namespace.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The label of a namespace that decides whether its pods are sent, where the API server cannot
/// filter by contents; the same as the windows-gmsa script's, with the value [`DISABLED`].
pub const NAMESPACE_LABEL: &str = "gmsa-webhook";
/// The value of [`NAMESPACE_LABEL`] for a namespace whose pods are not sent.
pub const DISABLED: &str = "disabled";
/// The value of [`NAMESPACE_LABEL`] for a namespace whose pods are sent where namespaces opt in.
pub const ENABLED: &str = "enabled";
/// The label of the pods that `install` and `doctor` create to see what happens to them, and of
/// namespaces whose pods only the installation under test is asked about.
pub const PROBE_LABEL: &str = domain!("", "/probe");
/// The name of the pods by which `install`, `doctor` and `--check` ask whether the webhook answers: dry
/// runs that it must refuse.
pub const PROBE: &str = "kubectl-gmsa-probe";

/// The annotation of the index that names the credential specs which are not in it.
pub const INDEX_LEFT_OUT: &str = domain!("", "/left-out");
/// The annotation of the index with the resource version of the newest credential spec that its writer
/// had seen, so that a replica which is behind does not undo what another wrote.
pub const INDEX_SEEN: &str = domain!("", "/seen");
/// The annotation of the index that names the credential specs which are in it although they are still
/// being created.
pub const INDEX_EARLY: &str = domain!("", "/early");
/// The label of the pods that the engine has expanded, with the value `true`.
pub const SEEN: &str = domain!("", "/gmsa");
/// The annotation by which the policy that expands a pod says to the one that checks it what is wrong:
/// the code and the text of a denial. No stored pod has it.
pub const DENIED: &str = domain!("", "/gmsa-denied");

/// The annotation of the Deployment that keeps the options, as JSON, for the next install.
pub const OPTIONS: &str = domain!("", "/options");
/// The annotation that records how far an adoption has come.
pub const TAKEOVER_STATE: &str = domain!("", "/takeover");
/// The annotation of the Secret that makes every CA and certificate from before its time (RFC 3339)
/// due for replacement.
pub const ROTATE_BEFORE: &str = domain!("", "/rotate-before");

/// The annotation of a replica set whose pods could not be created: when install had its controller try again.
pub const TRIED_AGAIN: &str = domain!("", "/tried-again");

/// Where the server serves its metrics by default.
pub const METRICS_PORT: u16 = 9443;

/// The name of the webhook that serves a path, such as `mutate`.
#[must_use]
pub fn webhook(path: &str) -> String {
    format!("{path}.{NAME}.{DOMAIN}")
}
