//! What is installed.

use std::collections::BTreeMap;

use gmsa_core::names::NAME;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AUDIT_SCHEDULE, IMAGE, Version};

/// Where the serving certificate comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificates {
    /// The server makes its own.
    #[default]
    #[serde(rename = "self")]
    SelfManaged,
    /// cert-manager makes it, and a CA for it.
    CertManager,
    /// A Secret that you fill, and a CA bundle that you set.
    Files,
}

/// What decides on pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// The server, which API servers call for each pod that uses a GMSA.
    #[default]
    Webhook,
    /// The API server itself, by admission policies; the server only keeps the index that they read.
    Policy,
}

impl Engine {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_webhook(&self) -> bool {
        *self == Self::Webhook
    }
}

/// Where the credential specs come from that policies have in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Those of the cluster.
    Cluster,
    /// Files, which only the user knows.
    Files,
}

/// What is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// The namespace.
    pub namespace: String,
    /// The image.
    pub image: String,
    /// How many replicas.
    pub replicas: u32,
    /// What decides on pods.
    #[serde(skip_serializing_if = "Engine::is_webhook")]
    pub engine: Engine,
    /// Whether the policies have the credential specs in them, so that nothing runs in the cluster, and
    /// from where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub literals: Option<Origin>,
    /// Where the serving certificate comes from.
    pub certificates: Certificates,
    /// Whether the mutating webhook lets pods pass when it does not answer. Validation then refuses
    /// those that use a GMSA.
    pub mutating_may_be_skipped: bool,
    /// Whether the API server itself refuses pods that the webhook should have seen and did not.
    #[serde(skip_serializing_if = "is_true")]
    pub guard: bool,
    /// Whether only cluster administrators may change what is installed for the whole cluster.
    #[serde(skip_serializing_if = "is_false")]
    pub protect: bool,
    /// Whether only namespaces that opt in are sent.
    pub namespaces_opt_in: bool,
    /// Whether `kube-system` and `kube-node-lease` are left out.
    #[serde(skip_serializing_if = "is_false")]
    pub skip_system_namespaces: bool,
    /// Whether pods that use a GMSA get a random hostname.
    pub random_hostname: bool,
    /// Whether the pods are on the node's network, for API servers that cannot reach pods.
    pub host_network: bool,
    /// The port on which the server listens.
    pub port: u16,
    /// The webhooks' timeout in seconds, 1 to 30.
    pub timeout_seconds: u32,
    /// The priority class of the pods.
    pub priority_class: Option<String>,
    /// The Secrets by which the image is pulled.
    pub image_pull_secrets: Vec<String>,
    /// Whether applying a workload prints a warning if its pods would be denied.
    pub early_warnings: bool,
    /// Whether the audit runs as a `CronJob`.
    pub audit: bool,
    /// When, as a cron expression in the time zone of the controller manager.
    pub audit_schedule: String,
    /// Whether a role that may read credential specs is added to `view`.
    pub viewer_role: bool,
    /// Whether the network policy is made.
    pub network_policy: bool,
    /// Whether the monitor of the Prometheus operator is made.
    pub service_monitor: bool,
    /// Whether the alert rules for the Prometheus operator are made.
    #[serde(skip_serializing_if = "is_false")]
    pub prometheus_rule: bool,
    /// Whether the dashboard is made, where Grafana's sidecar finds it.
    #[serde(skip_serializing_if = "is_false")]
    pub dashboard: bool,
    /// Labels that nodes must have, in addition to `kubernetes.io/os: linux`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Which taints of nodes are tolerated, as in a pod's spec.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Value>,
    /// The affinity, as in a pod's spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Value>,
    /// What a pod asks for, and may use at most.
    #[serde(skip_serializing_if = "Resources::is_default")]
    pub resources: Resources,
    /// The server's TLS settings.
    #[serde(skip_serializing_if = "Tls::is_default")]
    pub tls: Tls,
    /// Whether metrics are served over HTTPS.
    #[serde(skip_serializing_if = "is_false")]
    pub metrics_https: bool,
    /// What namespaces need so that their pods are sent, in addition to what an installation requires
    /// itself: taken over from an installation of windows-gmsa.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespace_requirements: Vec<NamespaceRequirement>,
}

/// A requirement on a label of namespaces, as in a `LabelSelector`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceRequirement {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// The values of `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// The server's TLS settings, by the names of its flags; what is empty is the server's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tls {
    /// The least version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_version: String,
    /// The cipher suites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    /// The groups for the key exchange.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<String>,
    /// Whether the settings are those of an OpenShift cluster's profile.
    #[serde(skip_serializing_if = "is_false")]
    pub follow_cluster_profile: bool,
}

impl Tls {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a pod asks for, and may use at most, as Kubernetes writes quantities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// The CPU that is asked for.
    pub cpu_request: String,
    /// The CPU limit, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<String>,
    /// The memory that is asked for.
    pub memory_request: String,
    /// The most memory.
    pub memory_limit: String,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            cpu_request: "50m".to_owned(),
            cpu_limit: None,
            memory_request: "32Mi".to_owned(),
            memory_limit: "128Mi".to_owned(),
        }
    }
}

impl Resources {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespace: NAME.to_owned(),
            image: IMAGE.to_owned(),
            replicas: 2,
            engine: Engine::default(),
            literals: None,
            certificates: Certificates::default(),
            mutating_may_be_skipped: false,
            guard: true,
            protect: false,
            namespaces_opt_in: false,
            skip_system_namespaces: false,
            random_hostname: false,
            host_network: false,
            port: 8443,
            timeout_seconds: 5,
            priority_class: None,
            image_pull_secrets: Vec::new(),
            early_warnings: false,
            audit: false,
            audit_schedule: AUDIT_SCHEDULE.to_owned(),
            viewer_role: false,
            network_policy: false,
            service_monitor: false,
            prometheus_rule: false,
            dashboard: false,
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            affinity: None,
            resources: Resources::default(),
            tls: Tls::default(),
            metrics_https: false,
            namespace_requirements: Vec::new(),
        }
    }
}

impl Options {
    /// Whether the API server itself decides on pods. One that is too old for that asks the webhook.
    #[must_use]
    pub fn has_policy_engine(&self, version: Version) -> bool {
        self.engine == Engine::Policy && version.has_mutating_policies()
    }

    /// The same with every object that an option adds.
    #[must_use]
    pub fn with_everything(&self) -> Self {
        Self {
            guard: true,
            protect: true,
            early_warnings: true,
            audit: true,
            viewer_role: true,
            network_policy: true,
            service_monitor: true,
            prometheus_rule: true,
            dashboard: true,
            tls: Tls { follow_cluster_profile: true, ..self.tls.clone() },
            ..self.clone()
        }
    }
}
