//! Objects of any kind, read and written as they are: nothing that this program does not know is
//! lost on the way.

use std::borrow::Cow;
use std::fmt::{self, Display};

use kube::Client;
use kube::Resource as _;
use kube::api::{ApiResource, DynamicObject, PostParams, Preconditions, Request};
use kube::api::{DeleteParams, GetParams, ListParams};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Error, PAGE, TIMEOUT, answer};

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version of the API group.
    pub version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The name of the resource in paths.
    pub plural: &'static str,
    /// Whether its objects are namespaced.
    pub namespaced: bool,
}

/// The kinds that are read or written.
pub mod kinds {
    use super::Kind;

    const RBAC: &str = "rbac.authorization.k8s.io";
    const ADMISSION: &str = "admissionregistration.k8s.io";

    /// A kind in the version `v1` of a group.
    const fn kind(
        group: &'static str,
        kind: &'static str,
        plural: &'static str,
        namespaced: bool,
    ) -> Kind {
        Kind { group, version: "v1", kind, plural, namespaced }
    }

    /// `Role`
    pub const ROLE: Kind = kind(RBAC, "Role", "roles", true);
    /// `ClusterRole`
    pub const CLUSTER_ROLE: Kind = kind(RBAC, "ClusterRole", "clusterroles", false);
    /// `RoleBinding`
    pub const ROLE_BINDING: Kind = kind(RBAC, "RoleBinding", "rolebindings", true);
    /// `ClusterRoleBinding`
    pub const CLUSTER_ROLE_BINDING: Kind =
        kind(RBAC, "ClusterRoleBinding", "clusterrolebindings", false);
    /// `GMSACredentialSpec`
    pub const CREDENTIAL_SPEC: Kind =
        kind(gmsa_core::names::GROUP, gmsa_core::names::KIND, gmsa_core::names::PLURAL, false);
    /// `GMSAIndex`
    pub const INDEX: Kind = kind(
        gmsa_core::names::DOMAIN,
        gmsa_core::names::INDEX_KIND,
        gmsa_core::names::INDEX_PLURAL,
        false,
    );
    /// `MutatingAdmissionPolicy`
    pub const MUTATING_POLICY: Kind =
        kind(ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies", false);
    /// `MutatingAdmissionPolicyBinding`
    pub const MUTATING_POLICY_BINDING: Kind =
        kind(ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", false);
    /// `Namespace`
    pub const NAMESPACE: Kind = kind("", "Namespace", "namespaces", false);
    /// `ServiceAccount`
    pub const SERVICE_ACCOUNT: Kind = kind("", "ServiceAccount", "serviceaccounts", true);
    /// `MutatingWebhookConfiguration`
    pub const MUTATING_WEBHOOKS: Kind =
        kind(ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false);
    /// `Deployment`
    pub const DEPLOYMENT: Kind = kind("apps", "Deployment", "deployments", true);
    /// `Secret`
    pub const SECRET: Kind = kind("", "Secret", "secrets", true);
    /// `ValidatingWebhookConfiguration`
    pub const VALIDATING_WEBHOOKS: Kind =
        kind(ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false);
    /// `ValidatingAdmissionPolicy`
    pub const VALIDATING_POLICY: Kind =
        kind(ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false);
    /// `ValidatingAdmissionPolicyBinding`
    pub const VALIDATING_POLICY_BINDING: Kind = kind(
        ADMISSION,
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        false,
    );
    /// `CustomResourceDefinition`
    pub const DEFINITION: Kind = kind(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
    );
    /// `Service`
    pub const SERVICE: Kind = kind("", "Service", "services", true);
    /// `Endpoints`
    pub const ENDPOINTS: Kind = kind("", "Endpoints", "endpoints", true);
    /// `ConfigMap`
    pub const CONFIG_MAP: Kind = kind("", "ConfigMap", "configmaps", true);
    /// `Event`
    pub const EVENT: Kind = kind("", "Event", "events", true);
    /// `Node`
    pub const NODE: Kind = kind("", "Node", "nodes", false);
    /// `Lease`
    pub const LEASE: Kind = kind("coordination.k8s.io", "Lease", "leases", true);
    /// `Pod`
    pub const POD: Kind = kind("", "Pod", "pods", true);
    /// What makes pods.
    pub const TEMPLATES: [Kind; 8] = [
        kind("", "ReplicationController", "replicationcontrollers", true),
        kind("", "PodTemplate", "podtemplates", true),
        DEPLOYMENT,
        kind("apps", "ReplicaSet", "replicasets", true),
        kind("apps", "StatefulSet", "statefulsets", true),
        kind("apps", "DaemonSet", "daemonsets", true),
        kind("batch", "Job", "jobs", true),
        CRON_JOB,
    ];
    const CRON_JOB: Kind = kind("batch", "CronJob", "cronjobs", true);
    /// All of these.
    const ALL: [Kind; 9] = [
        ROLE,
        CLUSTER_ROLE,
        ROLE_BINDING,
        CLUSTER_ROLE_BINDING,
        CREDENTIAL_SPEC,
        NAMESPACE,
        SERVICE_ACCOUNT,
        VALIDATING_WEBHOOKS,
        POD,
    ];

    /// The kind of this name, if it is one of these.
    pub(crate) fn named(name: &str) -> Option<Kind> {
        ALL.into_iter().chain(TEMPLATES).find(|kind| kind.kind == name)
    }

    /// `EndpointSlice`
    pub const ENDPOINT_SLICE: Kind =
        kind("discovery.k8s.io", "EndpointSlice", "endpointslices", true);
    /// `EndpointSlice` on API servers before 1.21.
    pub const OLD_ENDPOINT_SLICE: Kind = Kind { version: "v1beta1", ..ENDPOINT_SLICE };
    /// `CronJob` on API servers before 1.21.
    pub const OLD_CRON_JOB: Kind = Kind { version: "v1beta1", ..CRON_JOB };
}

/// Which object, shown as `RoleBinding shop/web` or `ClusterRole web`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The kind.
    pub kind: Kind,
    /// The namespace; none for kinds that have none.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind.kind, self.name),
            None => write!(f, "{} {}", self.kind.kind, self.name),
        }
    }
}

/// The objects of a cluster.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    manager: &'static str,
    dry_run: bool,
}

impl Kind {
    /// The version as objects carry it.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The same kind on older API servers, where they know it under another version.
    fn older(self) -> Option<Self> {
        let older = [kinds::OLD_CRON_JOB, kinds::OLD_ENDPOINT_SLICE];
        older.into_iter().find(|older| older.plural == self.plural && *older != self)
    }

    /// Puts `apiVersion` and `kind` into an object of a list, where they are left out.
    pub(crate) fn name_in(&self, object: &mut Value) {
        if let Some(object) = object.as_object_mut() {
            object.insert("apiVersion".to_owned(), json!(self.api_version()));
            object.insert("kind".to_owned(), json!(self.kind));
        }
    }

    /// The same for the requests of `kube`.
    #[must_use]
    pub fn resource(&self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: self.api_version(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }

    fn path(&self, namespace: Option<&str>) -> String {
        DynamicObject::url_path(&self.resource(), namespace.filter(|_| self.namespaced))
    }
}

impl Objects {
    /// Of the client's cluster. With `dry_run` the API server checks what is written and stores
    /// nothing. The manager is the owner of the written fields.
    #[must_use]
    pub fn new(client: Client, manager: &'static str, dry_run: bool) -> Self {
        Self { client, manager, dry_run }
    }

    /// The object; none if it, or its kind, is not there.
    pub async fn get(&self, of: &Reference) -> Result<Option<Value>, Error> {
        match self.read(of).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.code() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The object; code 404 if there is none, or if the cluster does not know its kind.
    pub async fn read(&self, of: &Reference) -> Result<Value, Error> {
        let request = Request::new(of.path()).get(&of.name, &GetParams::default());
        let read = self.send("read", of, request).await;
        if of.kind == kinds::CREDENTIAL_SPEC {
            read.map_err(|error| error.of_credential_spec().of_user())
        } else {
            read
        }
    }

    /// Every object of a kind, of one namespace or of all, with `apiVersion` and `kind`. Older API
    /// servers are asked for what they know the kind as.
    pub async fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>, Error> {
        match (self.list_as(kind, namespace).await, kind.older()) {
            (Err(error), Some(older)) if error.code() == Some(404) => {
                self.list_as(older, namespace).await
            }
            (Err(error), _) if kind == kinds::CREDENTIAL_SPEC => {
                Err(error.of_credential_spec().of_user())
            }
            (listed, _) => listed,
        }
    }

    /// As [`Self::list`]; none of a kind that the cluster does not know, as before its definition is
    /// installed.
    pub async fn list_known(
        &self,
        kind: Kind,
        namespace: Option<&str>,
    ) -> Result<Vec<Value>, Error> {
        match self.list(kind, namespace).await {
            Err(error) if error.code() == Some(404) => Ok(Vec::new()),
            listed => listed,
        }
    }

    async fn list_as(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>, Error> {
        let what = match namespace.filter(|_| kind.namespaced) {
            Some(namespace) => format!("{} of namespace \"{namespace}\"", kind.plural),
            None => kind.plural.to_owned(),
        };
        let mut found = Vec::new();
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let request = Request::new(kind.path(namespace)).list(&params);
            let mut answer = match self.send("list", &what, request).await {
                // The place in the list has expired: once more, in one piece.
                Err(error) if error.code() == Some(410) && params.continue_token.is_some() => {
                    found.clear();
                    params = ListParams::default();
                    continue;
                }
                answer => answer?,
            };
            if let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take) {
                found.extend(items);
            }
            match answer.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(token) if !token.is_empty() => {
                    params.continue_token = Some(token.to_owned());
                }
                _ => break,
            }
        }
        for object in &mut found {
            kind.name_in(object);
        }
        Ok(found)
    }

    /// Some objects of a kind as the text of the API server's answer, from a place in the list on:
    /// what one answer holds is all that is in memory. If the place has expired, the list goes on
    /// from there in what is there now. Older API servers are asked for what they know the kind as,
    /// which the page then says.
    pub(crate) async fn page(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        from: Option<String>,
    ) -> Result<Page, Error> {
        let page = self.page_as(kind, namespace, from.clone()).await;
        match (page, kind.older()) {
            (Err(error), Some(older)) if error.code() == Some(404) => {
                self.page_as(older, namespace, from).await
            }
            (page, _) => page,
        }
    }

    async fn page_as(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        from: Option<String>,
    ) -> Result<Page, Error> {
        let mut params = ListParams::default().limit(PAGE);
        params.continue_token = from;
        let mut moved = false;
        loop {
            let request = Request::new(kind.path(namespace))
                .list(&params)
                .map_err(|error| Error::not_sent("list", kind.plural, error))?;
            let asked = self.client.request_text(request);
            let error = match tokio::time::timeout(TIMEOUT, asked).await {
                Ok(Ok(text)) => return Ok(Page { kind, text }),
                Ok(Err(error)) => error,
                Err(_) => return Err(Error::timed_out("list", kind.plural)),
            };
            let token = match &error {
                kube::Error::Api(status) if status.code == 410 && !moved => {
                    status.metadata.as_ref().and_then(|metadata| metadata.continue_.clone())
                }
                _ => None,
            };
            if token.is_none() {
                return Err(Error::new("list", kind.plural, &error));
            }
            params.continue_token = token;
            moved = true;
        }
    }

    /// Creates the object; code 409 if it exists.
    pub async fn create(&self, of: &Reference, object: &Value) -> Result<Value, Error> {
        let request = Request::new(of.path()).create(&self.params(), encoded(object));
        self.send("create", of, request).await
    }

    /// Replaces the object; code 409 if it is no longer of the version in the metadata.
    pub async fn replace(&self, of: &Reference, object: &Value) -> Result<Value, Error> {
        let request = Request::new(of.path()).replace(&of.name, &self.params(), encoded(object));
        self.send("change", of, request).await
    }

    /// Deletes the object if it is still the given one; code 409 if it is another by now.
    pub async fn delete(&self, of: &Reference, object: &Value) -> Result<(), Error> {
        let text = |key: &str| {
            object.pointer(&format!("/metadata/{key}")).and_then(Value::as_str).map(str::to_owned)
        };
        let preconditions =
            Preconditions { resource_version: text("resourceVersion"), uid: text("uid") };
        let params = DeleteParams {
            dry_run: self.dry_run,
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        };
        let request = Request::new(of.path()).delete(&of.name, &params);
        self.send("delete", of, request).await.map(drop)
    }

    fn params(&self) -> PostParams {
        PostParams { dry_run: self.dry_run, field_manager: Some(self.manager.to_owned()) }
    }

    async fn send(
        &self,
        action: &'static str,
        object: impl Display,
        request: Result<http::Request<Vec<u8>>, impl Display>,
    ) -> Result<Value, Error> {
        match request {
            Ok(request) => answer(action, object, self.client.request(request)).await,
            Err(error) => Err(Error::not_sent(action, object, error)),
        }
    }
}

impl Reference {
    /// An object of a cluster-scoped kind.
    #[must_use]
    pub fn cluster(kind: Kind, name: &str) -> Self {
        Self { kind, namespace: None, name: name.to_owned() }
    }

    /// An object in a namespace.
    #[must_use]
    pub fn namespaced(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: Some(namespace.to_owned()), name: name.to_owned() }
    }

    fn path(&self) -> String {
        self.kind.path(self.namespace.as_deref())
    }
}

fn encoded(object: &Value) -> Vec<u8> {
    object.to_string().into_bytes()
}

/// A page of a list as text, as the API server sent it: contents of pods can be read from JSON text
/// only.
pub(crate) struct Page {
    /// The kind under which the API server knows them.
    pub(crate) kind: Kind,
    text: String,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default, rename = "continue")]
    next: Option<Cow<'a, str>>,
}

impl Page {
    /// The objects, and from where the list goes on.
    pub(crate) fn items(&self) -> serde_json::Result<(Vec<&str>, Option<String>)> {
        let List { metadata, items } = serde_json::from_str(&self.text)?;
        let items = items.into_iter().flatten().map(RawValue::get).collect();
        Ok((items, metadata.next.filter(|next| !next.is_empty()).map(Cow::into_owned)))
    }
}
