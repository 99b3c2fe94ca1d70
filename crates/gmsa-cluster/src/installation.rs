//! The objects of an installation, as plain data: what `install`, the manifests in `deploy/` and
//! the tests share.
//!
//! Nothing here talks to a cluster. Objects are sent unchanged, by server-side apply, so they
//! hold only fields that the API server's version knows, and never a `caBundle`: the server sets that.

mod audit;
pub mod ca_bundle;
pub mod certificate_secret;
pub mod definition;
mod deploy;
pub mod identify;
mod monitoring;
mod options;
pub mod probe;
mod rbac;
mod schedule;
pub mod server_objects;
mod takeover;
mod webhooks;
mod workload;

use gmsa_core::names::{DISABLED, NAME, NAMESPACE_LABEL, PART_OF};
use serde_json::{Value, json};

pub use deploy::manifests;
pub use options::{Certificates, NamespaceRequirement, Options, Resources};
pub use schedule::is_schedule;
pub use takeover::beside;
pub use webhooks::{EARLY_WARNINGS_CONDITION, MATCH_CONDITION, namespace_requirements};

/// When the audit runs by default: every six hours.
pub const AUDIT_SCHEDULE: &str = "17 */6 * * *";
/// The published image.
pub const IMAGE: &str = concat!("ghcr.io/kube-gmsa/gmsa-webhook:", env!("CARGO_PKG_VERSION"));
/// The oldest API server that is supported.
pub const OLDEST: Version = Version(1, 20);

/// The version of an API server: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Whether webhook configurations can filter by what is in a pod (`matchConditions`, on by
    /// default since 1.28).
    #[must_use]
    pub fn filters(self) -> bool {
        self >= Self(1, 28)
    }

    /// Whether `CronJob` is in `batch/v1` (1.21).
    #[must_use]
    pub fn has_cron_job_v1(self) -> bool {
        self >= Self(1, 21)
    }

    /// Whether `policy/v1` is there (1.21).
    #[must_use]
    pub fn has_policy_v1(self) -> bool {
        self >= Self(1, 21)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    /// Reads `1.28`, `v1.28`, `1.28.3` or `1.28+`.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |part: Option<&str>| {
            let part = part?;
            let end = part.find(|character: char| !character.is_ascii_digit());
            part.get(..end.unwrap_or(part.len()))?.parse().ok()
        };
        let mut parts = text.trim().trim_start_matches('v').split('.');
        match (digits(parts.next()), digits(parts.next())) {
            (Some(major), Some(minor)) => Ok(Self(major, minor)),
            _ => Err(format!("expected a version of Kubernetes such as 1.28, got \"{text}\"")),
        }
    }
}

/// The objects of an installation, in the order in which they are applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects {
    /// Everything that can be there without a running server.
    pub base: Vec<Value>,
    /// What sends something to the server: only once it answers. What sends pods comes first.
    pub webhooks: Vec<Value>,
}

/// The objects for an API server of this version.
#[must_use]
pub fn objects(options: &Options, version: Version) -> Objects {
    let mut base = vec![namespace(options, version)];
    if !version.filters() {
        base.push(kube_system());
    }
    base.push(custom_resource_definition());
    base.extend(rbac::objects(options));
    base.extend(workload::objects(options, version));
    base.extend(monitoring::objects(options));
    base.extend(audit::objects(options, version));
    Objects { base, webhooks: webhooks::objects(options, version) }
}

/// The labels of every object.
fn labels() -> Value {
    json!({"app.kubernetes.io/name": NAME, PART_OF.0: PART_OF.1})
}

fn namespace(options: &Options, version: Version) -> Value {
    // Host networking is outside of every level but this one.
    let level = if options.host_network { "privileged" } else { "restricted" };
    let mut labels = labels();
    merge(&mut labels, json!({"pod-security.kubernetes.io/enforce": level}));
    if !version.filters() {
        // Without match conditions every pod is sent, so the webhook's own must be excluded to start.
        merge(&mut labels, json!({NAMESPACE_LABEL: DISABLED}));
    }
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": options.namespace, "labels": labels},
    })
}

/// Without match conditions every pod is sent, so what the cluster needs to start is excluded.
fn kube_system() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "kube-system", "labels": {NAMESPACE_LABEL: DISABLED}},
    })
}

fn custom_resource_definition() -> Value {
    let mut definition = serde_json::to_value(definition::definition()).unwrap_or_default();
    merge(
        &mut definition,
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}),
    );
    definition
}

/// Adds the keys of one object to another.
fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

#[cfg(test)]
mod tests;
