//! A set of objects, evaluated together: credential specs, rights, service accounts, workloads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gmsa_core::credspec::name::unquoted;
use gmsa_core::finding::{Code, Finding};
use gmsa_core::names::{GROUP, KIND};
use gmsa_core::pod::{Pod, shown};
use gmsa_core::rbac::{Policy, Unreadable};
use gmsa_core::workload::{Template, dotted, group, templates, unread};
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
    /// What names a credential spec where nothing reads it, or where it was not judged.
    pub unread: Vec<Unread>,
    /// Objects that cannot be used.
    pub problems: Vec<Problem>,
    /// The directories that hold a kustomization.
    kustomized: BTreeSet<String>,
}

/// What an object names where nothing reads it.
#[derive(Clone, Debug)]
pub struct Unread {
    /// The position of the object among the documents.
    pub document: usize,
    /// The object, as `Deployment shop/web`.
    pub object: String,
    /// Where it stands.
    pub source: Source,
    /// What was found.
    pub finding: Finding,
}

/// A credential spec and its position.
#[derive(Clone, Debug)]
pub struct CredentialSpec {
    /// The whole object.
    pub object: Arc<Value>,
    /// Its position.
    pub source: Source,
}

impl CredentialSpec {
    /// Whether an API server takes the object: its group, version and kind are right.
    #[must_use]
    pub fn is_served(&self) -> bool {
        let text = |key: &str| self.object.get(key).and_then(Value::as_str).unwrap_or_default();
        text("kind") == KIND && group(text("apiVersion")) == GROUP
    }
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
    pub template: String,
    /// The JSON pointer of the pod's spec itself.
    pub spec: String,
    /// Whether Kubernetes itself makes the pods, from the usual place of its kind.
    pub is_built_in: bool,
}

/// An object that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It has no name.
    #[error("{at}: {kind} without metadata.name{note}")]
    Unnamed {
        /// Its position.
        at: Source,
        /// The kind.
        kind: String,
        /// What it has instead, and what to do; or nothing.
        note: String,
    },
    /// Its namespace is not a string.
    #[error("{at}: failed to read metadata.namespace of {kind} \"{name}\": {why}")]
    Namespace {
        /// Its position.
        at: Source,
        /// The kind.
        kind: String,
        /// The name.
        name: String,
        /// What it is, and what to do.
        why: String,
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
        let is_kustomization = |document: &&Document| {
            let version = document.value.get("apiVersion").and_then(Value::as_str);
            document.source.is_kustomization() || version.is_some_and(|one| group(one) == KUSTOMIZE)
        };
        let kustomizations = documents.iter().filter(is_kustomization);
        set.kustomized =
            kustomizations.map(|document| document.source.directory().to_owned()).collect();
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
            if source.is_kustomization() {
                self.kustomization(index, document, "a kustomization");
            } else if is_needed(value) {
                self.problems.push(Problem::Kindless(at()));
            } else {
                self.pass_over(index, at(), "an object without apiVersion or kind".to_owned());
                let label = format!("A part of {}", source.file);
                self.add_unread(index, &label, source, unread(value, &[]));
            }
            return;
        };
        if group(api_version) == KUSTOMIZE {
            self.kustomization(index, document, kind);
            return;
        }
        let namespace = namespace(value, default_namespace);
        let Some(name) = name(value) else {
            if is_needed(value) {
                self.problems.push(Problem::Unnamed {
                    at: at(),
                    kind: kind.to_owned(),
                    note: name_note(value),
                });
            } else {
                self.pass_over(
                    index,
                    at(),
                    format!("{kind} without metadata.name{}", name_note(value)),
                );
                self.add_unread(index, kind, source, unread(value, &[]));
            }
            return;
        };
        if let Some(why) = wrong_namespace(value)
            && is_needed(value)
        {
            let (kind, name) = (kind.to_owned(), name.to_owned());
            self.problems.push(Problem::Namespace { at: at(), kind, name, why });
            return;
        }
        if kind.eq_ignore_ascii_case(KIND) {
            let spec = CredentialSpec { object: Arc::clone(value), source: at() };
            if let Some(first) = self.credential_specs.insert(name.to_owned(), spec) {
                self.problems.push(Problem::Twice {
                    at: at(),
                    first: first.source,
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                });
            }
            return;
        }
        if api_version == "v1" && kind == "ServiceAccount" {
            self.service_accounts.insert((namespace.to_owned(), name.to_owned()));
            return;
        }
        let templates = templates(value);
        let label = format!("{kind} {namespace}/{name}");
        self.add_unread(index, &label, source, unread(value, &templates));
        if templates.is_empty()
            && let Err(why) = self.policy.add(value, default_namespace)
        {
            self.problems.push(Problem::Rbac { at: at(), why });
        }
        for template in &templates {
            let within = value.pointer(&template.pointer);
            if within.is_some_and(|within| !within.is_object() && !within.is_null()) {
                let (kind, name) = (kind.to_owned(), name.to_owned());
                self.problems.push(Problem::Template { at: at(), kind, name });
                continue;
            }
            let workload = Workload::read(value, default_namespace, at(), index, template);
            let Some(workload) = workload else { continue };
            if workload.is_patch(value, self.kustomized.contains(source.directory())) {
                self.patch(&workload, value);
            } else {
                self.workloads.push(workload);
            }
        }
    }

    /// What is for kustomize, which renders the objects from it.
    fn kustomization(&mut self, index: usize, document: &Document, what: &str) {
        let Document { value, source } = document;
        let why = format!("{what} is for kustomize: {}", source.render());
        self.pass_over(index, source.clone(), why);
        let label = format!("A part of {}", source.file);
        self.add_unread(index, &label, source, unread(value, &[]));
    }

    /// No API server takes a patch for a workload.
    fn patch(&mut self, workload: &Workload, document: &Value) {
        let Workload { kind, name, source, document: index, .. } = workload;
        let why = format!(
            "{kind} {name} has no containers with an image, so it is a patch and no workload: {}",
            source.render()
        );
        self.pass_over(*index, source.clone(), why);
        let text = workload.pod(document).to_string();
        let Ok(pod) = serde_json::from_str::<Pod<'_>>(&text) else { return };
        let label = format!("{kind} {name}");
        let findings = pod.references().map(|reference| {
            let path = workload.field(&reference.place.field("gmsaCredentialSpecName"));
            let named = reference.name.map(|name| format!(" \"{}\"", shown(name)));
            Finding {
                code: Code::CredspecNotJudged,
                message: format!(
                    "the patch names credential spec{} at {path}, which was not judged: {}",
                    named.unwrap_or_default(),
                    source.render()
                ),
                path: Some(path),
            }
        });
        let findings = findings.collect();
        self.add_unread(*index, &label, source, findings);
    }

    fn add_unread(
        &mut self,
        document: usize,
        object: &str,
        source: &Source,
        findings: Vec<Finding>,
    ) {
        self.unread.extend(findings.into_iter().map(|finding| Unread {
            document,
            object: object.to_owned(),
            source: source.clone(),
            finding,
        }));
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

/// The namespace of an object, or the given one.
fn namespace<'a>(value: &'a Value, default: &'a str) -> &'a str {
    let namespace = value.pointer("/metadata/namespace").and_then(Value::as_str);
    namespace.filter(|namespace| !namespace.is_empty()).unwrap_or(default)
}

/// Says of a namespace that is not a string what it is; an API server would refuse the object.
fn wrong_namespace(value: &Value) -> Option<String> {
    let namespace = value.pointer("/metadata/namespace")?;
    let what = match namespace {
        Value::String(_) | Value::Null => return None,
        Value::Array(_) => "it is a list, not a string".to_owned(),
        Value::Object(_) => "it is an object, not a string".to_owned(),
        Value::Number(_) | Value::Bool(_) => unquoted(namespace)?,
    };
    Some(what)
}

/// The name of an object, or what its name will begin with.
fn name(value: &Value) -> Option<&str> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").or_else(|| text("/metadata/generateName"));
    name.filter(|name| !name.is_empty())
}

/// What stands for a name that YAML does not read as a string.
fn name_note(value: &Value) -> String {
    let found = value.pointer("/metadata/name").and_then(unquoted);
    found.map(|found| format!(": {found}")).unwrap_or_default()
}

impl Workload {
    /// The workload that an object of a cluster is, the first of several; none if it makes no pods
    /// or has no name. One without a namespace gets the given one.
    #[must_use]
    pub fn of(value: &Value, default_namespace: &str) -> Option<Self> {
        Self::all(value, default_namespace).into_iter().next()
    }

    /// The workloads that an object of a cluster is: one for each of its pod templates.
    #[must_use]
    pub fn all(value: &Value, default_namespace: &str) -> Vec<Self> {
        let source = Source { file: Arc::from("the cluster"), line: 0 };
        let read = |template| Self::read(value, default_namespace, source.clone(), 0, template);
        templates(value).iter().filter_map(read).collect()
    }

    fn read(
        value: &Value,
        default_namespace: &str,
        source: Source,
        document: usize,
        template: &Template,
    ) -> Option<Self> {
        let owner = value.pointer(&template.owner)?;
        let outer = namespace(value, default_namespace);
        let text = |key: &str| owner.get(key).and_then(Value::as_str);
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        Some(Self {
            kind: kind.to_owned(),
            api_version: api_version.to_owned(),
            namespace: namespace(owner, outer).to_owned(),
            name: name(owner).or_else(|| name(value))?.to_owned(),
            source,
            document,
            template: template.pointer.clone(),
            spec: template.spec.clone(),
            is_built_in: template.is_built_in,
        })
    }

    /// Where the pod template is, if the kind alone does not say it: `spec.workerGroups[0].template`.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        let is_usual = self.is_built_in || self.template == "/spec/template";
        let place = if self.spec.ends_with("/spec") { &self.template } else { &self.spec };
        (!is_usual).then(|| dotted(place))
    }

    /// The path within the object of a field of its pods, such as `spec.securityContext`.
    #[must_use]
    pub fn field(&self, of_pod: &str) -> String {
        format!("{}{}", dotted(&self.spec), of_pod.strip_prefix("spec").unwrap_or(of_pod))
    }

    /// Whether this is a part of a workload of Kubernetes that a patch puts into another: it has no
    /// containers, or beside a kustomization none with an image.
    fn is_patch(&self, document: &Value, beside_kustomization: bool) -> bool {
        let spec = document.pointer(&self.spec);
        let lists = ["containers", "initContainers", "ephemeralContainers"];
        let containers = || {
            lists
                .iter()
                .filter_map(|list| spec?.get(list).filter(|containers| !containers.is_null()))
        };
        let has_image = |list: &Value| {
            list.as_array().is_none_or(|list| list.iter().any(|one| one.get("image").is_some()))
        };
        self.is_built_in
            && (containers().next().is_none()
                || (beside_kustomization && !containers().any(has_image)))
    }

    /// The pod that the workload would create, as its controller names it.
    #[must_use]
    pub fn pod(&self, document: &Value) -> Value {
        let template = document.pointer(&self.template).unwrap_or(&Value::Null);
        if self.template.is_empty() {
            return template.clone();
        }
        let mut metadata = match template.get("metadata") {
            // A `podSpec` has no metadata beside it.
            Some(Value::Object(metadata)) if self.spec.ends_with("/spec") => metadata.clone(),
            _ => Map::new(),
        };
        metadata.insert("namespace".to_owned(), self.namespace.clone().into());
        let mut spec = document.pointer(&self.spec).cloned().unwrap_or(Value::Null);
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
