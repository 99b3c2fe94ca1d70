//! What a set of objects says together: credential specs, rights, service accounts, workloads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gmsa_core::rbac::{Policy, Unreadable};
use serde_json::{Map, Value, json};

use super::document::{Document, Source};
use crate::crd::{GROUP, KIND};

/// A set of objects.
#[derive(Debug, Default)]
pub struct ManifestSet {
    /// The credential specs by name.
    pub credential_specs: BTreeMap<String, CredentialSpec>,
    /// The roles and bindings.
    pub policy: Policy,
    /// The service accounts, as namespace and name.
    pub service_accounts: BTreeSet<(String, String)>,
    /// Whatever makes pods.
    pub workloads: Vec<Workload>,
    /// What cannot be taken in.
    pub problems: Vec<Problem>,
}

/// A credential spec and where it stands.
#[derive(Clone, Debug)]
pub struct CredentialSpec {
    /// The whole object.
    pub object: Value,
    /// Where it stands.
    pub source: Source,
}

/// Something that makes pods, or a pod.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The kind.
    pub kind: String,
    /// The API version.
    pub api_version: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// Where it stands.
    pub source: Source,
    /// The position among the documents.
    pub document: usize,
    /// The JSON pointer (RFC 6901) of what has the pod's `spec`: empty for a Pod.
    pub template: &'static str,
}

/// An object that cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It has no name.
    #[error("{at}: {kind} without metadata.name")]
    Unnamed {
        /// Where it stands.
        at: Source,
        /// The kind.
        kind: String,
    },
    /// It has no kind.
    #[error("{0}: an object without apiVersion or kind")]
    Kindless(Source),
    /// It is an RBAC object of the wrong shape.
    #[error("{at}: {why}")]
    Rbac {
        /// Where it stands.
        at: Source,
        /// Why.
        why: Unreadable,
    },
    /// The same object stands elsewhere too; the last one counts.
    #[error("{at}: {kind} \"{name}\" stands in {first} too; this one counts")]
    Twice {
        /// Where it stands.
        at: Source,
        /// Where it stood first.
        first: Source,
        /// The kind.
        kind: String,
        /// The name.
        name: String,
    },
}

impl ManifestSet {
    /// Sorts the documents. A namespaced object without a namespace gets the given one.
    #[must_use]
    pub fn new(documents: &[Document], default_namespace: &str) -> Self {
        let mut set = Self::default();
        for (index, document) in documents.iter().enumerate() {
            set.add(index, document, default_namespace);
        }
        set
    }

    fn add(&mut self, index: usize, document: &Document, default_namespace: &str) {
        let Document { value, source } = document;
        let at = || source.clone();
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let (Some(api_version), Some(kind)) = (text("/apiVersion"), text("/kind")) else {
            self.problems.push(Problem::Kindless(at()));
            return;
        };
        let namespace = namespace(value, default_namespace);
        let Some(name) = name(value) else {
            self.problems.push(Problem::Unnamed { at: at(), kind: kind.to_owned() });
            return;
        };
        let is_credential_spec =
            kind == KIND && api_version.split_once('/').is_some_and(|(group, _)| group == GROUP);
        if is_credential_spec {
            let spec = CredentialSpec { object: value.clone(), source: at() };
            if let Some(first) = self.credential_specs.insert(name.to_owned(), spec) {
                self.problems.push(Problem::Twice {
                    at: at(),
                    first: first.source,
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                });
            }
        } else if api_version == "v1" && kind == "ServiceAccount" {
            self.service_accounts.insert((namespace.to_owned(), name.to_owned()));
        } else if let Some(workload) = Workload::read(value, default_namespace, at(), index) {
            self.workloads.push(workload);
        } else if let Err(why) = self.policy.add(value, default_namespace) {
            self.problems.push(Problem::Rbac { at: at(), why });
        }
    }
}

/// The namespace of an object, or the given one.
fn namespace<'a>(value: &'a Value, default: &'a str) -> &'a str {
    let namespace = value.pointer("/metadata/namespace").and_then(Value::as_str);
    namespace.filter(|namespace| !namespace.is_empty()).unwrap_or(default)
}

/// The name of an object, or what its name will begin with.
fn name(value: &Value) -> Option<&str> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").or_else(|| text("/metadata/generateName"));
    name.filter(|name| !name.is_empty())
}

/// Where an object has its pod template; none if it makes no pods.
fn template(kind: &str, value: &Value) -> Option<&'static str> {
    let has_containers = |pointer: &str| {
        value.pointer(pointer).and_then(|template| template.pointer("/spec/containers")).is_some()
    };
    match kind {
        "Pod" => Some(""),
        "PodTemplate" => Some("/template"),
        "CronJob" => Some("/spec/jobTemplate/spec/template"),
        // Whatever has a pod template at the usual place, custom kinds among them.
        _ => has_containers("/spec/template").then_some("/spec/template"),
    }
}

impl Workload {
    /// The workload that an object of a cluster is; none if it makes no pods or has no name. One
    /// without a namespace gets the given one.
    #[must_use]
    pub fn of(value: &Value, default_namespace: &str) -> Option<Self> {
        let source = Source { file: Arc::from("the cluster"), line: 0 };
        Self::read(value, default_namespace, source, 0)
    }

    fn read(
        value: &Value,
        default_namespace: &str,
        source: Source,
        document: usize,
    ) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        Some(Self {
            kind: kind.to_owned(),
            api_version: api_version.to_owned(),
            namespace: namespace(value, default_namespace).to_owned(),
            name: name(value)?.to_owned(),
            source,
            document,
            template: template(kind, value)?,
        })
    }

    /// The pod that the workload would create, as its controller names it.
    #[must_use]
    pub fn pod(&self, document: &Value) -> Value {
        let template = document.pointer(self.template).unwrap_or(&Value::Null);
        if self.template.is_empty() {
            return template.clone();
        }
        let mut metadata = match template.get("metadata") {
            Some(Value::Object(metadata)) => metadata.clone(),
            _ => Map::new(),
        };
        metadata.insert("namespace".to_owned(), self.namespace.clone().into());
        if self.kind == "StatefulSet" {
            metadata.insert("name".to_owned(), format!("{}-0", self.name).into());
        } else {
            metadata.insert("generateName".to_owned(), self.generated_prefix().into());
        }
        let owner = json!([{"apiVersion": self.api_version, "kind": self.kind, "name": self.name,
            "controller": true}]);
        metadata.insert("ownerReferences".to_owned(), owner);
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    }

    /// The prefix that the controller gives to the names of pods.
    fn generated_prefix(&self) -> String {
        match self.kind.as_str() {
            // The template's hash stands between, ten characters of the replica set's name.
            "Deployment" => format!("{}-0000000000-", self.name),
            _ => format!("{}-", self.name),
        }
    }
}
