//! A set of objects, evaluated together: credential specs, rights, service accounts, workloads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gmsa_core::names::{GROUP, KIND};
use gmsa_core::rbac::{Policy, Unreadable};
use serde_json::{Map, Value, json};

use super::document::{Document, PassedOver, Source};

/// The kinds that are facts, or make pods: none of them may get lost.
const NEEDED: [&str; 15] = [
    KIND,
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ServiceAccount",
    "Pod",
    "PodTemplate",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicationController",
];

/// What nothing but facts, and what makes pods, has.
const NEEDED_FIELDS: [&str; 6] = [
    "/credspec",
    "/roleRef",
    "/spec/containers",
    "/spec/template/spec",
    "/spec/jobTemplate",
    "/template/spec",
];

/// Files in this group are for a program that makes manifests.
const KUSTOMIZE: &str = "kustomize.config.k8s.io";

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
    /// What is not an object of a cluster, by its position among the documents.
    pub passed_over: BTreeMap<usize, PassedOver>,
    /// Objects that cannot be used.
    pub problems: Vec<Problem>,
}

/// A credential spec and its position.
#[derive(Clone, Debug)]
pub struct CredentialSpec {
    /// The whole object.
    pub object: Value,
    /// Its position.
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
    /// Its position.
    pub source: Source,
    /// The position among the documents.
    pub document: usize,
    /// The JSON pointer (RFC 6901) of what has the pod's `spec`: empty for a Pod.
    pub template: &'static str,
}

/// An object that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It has no name.
    #[error("{at}: {kind} without metadata.name")]
    Unnamed {
        /// Its position.
        at: Source,
        /// The kind.
        kind: String,
    },
    /// It has no kind.
    #[error("{0}: an object without apiVersion or kind")]
    Kindless(Source),
    /// Its pod template is not an object.
    #[error("{at}: failed to read the pod template of {kind} \"{name}\": expected an object")]
    Template {
        /// Its position.
        at: Source,
        /// The kind.
        kind: String,
        /// The name.
        name: String,
    },
    /// It is an RBAC object of the wrong shape.
    #[error("{at}: {why}")]
    Rbac {
        /// Its position.
        at: Source,
        /// Why.
        why: Unreadable,
    },
    /// The same object exists twice; the last one counts.
    #[error("{at}: {kind} \"{name}\" is in {first} too; this one counts")]
    Twice {
        /// Its position.
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
            if is_needed(value) {
                self.problems.push(Problem::Kindless(at()));
            } else {
                self.pass_over(index, at(), "an object without apiVersion or kind".to_owned());
            }
            return;
        };
        if group(api_version) == KUSTOMIZE {
            self.pass_over(index, at(), format!("{kind} is for kustomize"));
            return;
        }
        let namespace = namespace(value, default_namespace);
        let Some(name) = name(value) else {
            if is_needed(value) {
                self.problems.push(Problem::Unnamed { at: at(), kind: kind.to_owned() });
            } else {
                self.pass_over(index, at(), format!("{kind} without metadata.name"));
            }
            return;
        };
        if kind == KIND && group(api_version) == GROUP {
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
            let template = value.pointer(workload.template);
            if template.is_none_or(|template| template.is_object() || template.is_null()) {
                self.workloads.push(workload);
            } else {
                let (kind, name) = (kind.to_owned(), name.to_owned());
                self.problems.push(Problem::Template { at: at(), kind, name });
            }
        } else if let Err(why) = self.policy.add(value, default_namespace) {
            self.problems.push(Problem::Rbac { at: at(), why });
        }
    }

    fn pass_over(&mut self, index: usize, at: Source, why: String) {
        self.passed_over.insert(index, PassedOver { at, why });
    }
}

/// Whether an object that is not whole may be a fact, or make pods.
fn is_needed(value: &Value) -> bool {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = text("kind");
    let group = group(text("apiVersion"));
    // Of the items of a list that is none nothing is known.
    [GROUP, "rbac.authorization.k8s.io"].contains(&group)
        || NEEDED.contains(&kind)
        || kind.ends_with("List")
        || NEEDED_FIELDS.iter().any(|pointer| value.pointer(pointer).is_some())
        || (value.get("metadata").is_some() && value.get("rules").is_some())
}

/// The group of an API version; empty for the core's.
fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
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
fn template(api_version: &str, kind: &str, value: &Value) -> Option<&'static str> {
    let known = ["", "apps", "batch", "extensions"].contains(&group(api_version));
    match kind {
        "Pod" => Some(""),
        "PodTemplate" => Some("/template"),
        "CronJob" => Some("/spec/jobTemplate/spec/template"),
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "Job"
        | "ReplicationController"
            if known =>
        {
            Some("/spec/template")
        }
        // Whatever has a pod template at the usual place, custom kinds among them.
        _ => {
            let spec = value.pointer("/spec/template/spec")?;
            let of_a_pod =
                ["containers", "initContainers", "ephemeralContainers", "securityContext"];
            of_a_pod.iter().any(|key| spec.get(key).is_some()).then_some("/spec/template")
        }
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
            template: template(api_version, kind, value)?,
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
        let mut spec = template.get("spec").cloned().unwrap_or(Value::Null);
        if self.kind == "StatefulSet" {
            let name = Value::from(format!("{}-0", self.name));
            if let Value::Object(spec) = &mut spec {
                // Its controller overwrites the template's value.
                spec.insert("hostname".to_owned(), name.clone());
            }
            metadata.insert("name".to_owned(), name);
        } else {
            // What a controller puts behind it, such as the hash of the template, is not known.
            metadata.insert("generateName".to_owned(), format!("{}-", self.name).into());
        }
        let owner = json!([{"apiVersion": self.api_version, "kind": self.kind, "name": self.name,
            "controller": true}]);
        metadata.insert("ownerReferences".to_owned(), owner);
        let pod = [
            ("apiVersion", "v1".into()),
            ("kind", "Pod".into()),
            ("metadata", metadata.into()),
            ("spec", spec),
        ];
        pod.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
    }
}
