//! The engine's policies, for namespaces of the tests, and an index that is written as it is needed.

use gmsa_cluster::installation::{Options, Version, engine};
use gmsa_core::index::{self, Index, Spec};
use gmsa_core::names::{INDEX, INDEX_KIND};
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::process::eventually;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, PostParams};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::SOON;

/// The label of the namespaces in which the policies decide.
const LABEL: &str = "gmsa-testkit/engine";
/// A service account that may use every credential spec, and how the names of entries begin that only
/// say that an index is in force.
const SETTLED: &str = "settled";

/// The policies and their index.
pub struct Policies {
    /// The version of the index that is known to be in force.
    settled: Mutex<Option<String>>,
}

impl Policies {
    /// Applies the definition and the policies, for labeled namespaces alone: the control plane is
    /// shared. Gives a namespace in which they are in force.
    pub async fn install(cluster: &Cluster) -> (Self, String) {
        cluster.apply(&json!(engine::index_definition())).await;
        let policies = engine::policies(&Options::default(), Version(1, 36));
        for object in policies.iter() {
            let mut object = object.clone();
            if let Some(matched) = object["spec"].get_mut("matchResources") {
                matched["namespaceSelector"] = json!({"matchLabels": {LABEL: "policies"}});
            }
            cluster.apply(&object).await;
        }
        let namespace = cluster.namespace_with_labels("pods", &json!({LABEL: "policies"})).await;
        account(cluster, &namespace).await;
        let this = Self { settled: Mutex::new(None) };
        this.settled(cluster, &namespace).await;
        (this, namespace)
    }

    /// Brings the index up to date, and waits until the policies read it.
    pub async fn settled(&self, cluster: &Cluster, namespace: &str) {
        let mut settled = self.settled.lock().await;
        let mark = cluster.unique(SETTLED);
        let version = eventually("the index is in force", SOON * 2, || async {
            let (index, current) = write(cluster, &mark, settled.as_deref()).await?;
            if settled.is_some() && *settled == index {
                return Some(current);
            }
            let denied = denied(cluster, namespace, &mark).await?;
            denied.contains("does not have a credspec key").then_some(current)
        })
        .await;
        *settled = Some(version);
    }
}

/// Writes the index if it is not up to date, or if another version than the settled one is there. Gives
/// the version that was there before and that is there now; none if another test wrote it meanwhile.
async fn write(
    cluster: &Cluster,
    mark: &str,
    settled: Option<&str>,
) -> Option<(Option<String>, String)> {
    let kind = json!({"apiVersion": gmsa_core::names::API_VERSION, "kind": INDEX_KIND});
    let api = cluster.api(&kind).await;
    let there = api.get_opt(INDEX).await.unwrap();
    let version = there.as_ref().and_then(|there| there.metadata.resource_version.clone());
    let specs = credential_specs(cluster).await;
    let mut wanted = index::build(specs.iter().map(|(name, spec)| (name.as_str(), spec)));
    let found = there.as_ref().map(|there| Index::read(&json!(there))).unwrap_or_default();
    let marks = found.entries.into_iter().filter(|(name, _)| name.starts_with(SETTLED));
    wanted.entries.extend(marks);
    let is_marked = wanted.entries.contains_key(mark);
    let is_current =
        there.as_ref().is_some_and(|there| Index::read(&json!(there)).is_same(&wanted));
    if let (true, Some(version)) = (is_current, version.clone())
        && (is_marked || settled == Some(version.as_str()))
    {
        return Some((Some(version.clone()), version));
    }
    wanted.entries.insert(mark.to_owned(), String::new());
    let mut object = wanted.object();
    if let Some(version) = &version {
        object["metadata"]["resourceVersion"] = json!(version);
    }
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    let params = PostParams::default();
    let written = match version {
        Some(_) => api.replace(INDEX, &params, &object).await,
        None => api.create(&params, &object).await,
    };
    // A conflict is another test's.
    let version = written.ok()?.metadata.resource_version?;
    Some((None, version))
}

async fn credential_specs(cluster: &Cluster) -> Vec<(String, Spec)> {
    let resource: ApiResource = gmsa_cluster::api::objects::kinds::CREDENTIAL_SPEC.resource();
    let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &resource);
    let list = api.list(&ListParams::default()).await.unwrap();
    list.items
        .iter()
        .map(|one| (one.metadata.name.clone().unwrap(), Spec::of(&json!(one))))
        .collect()
}

/// Why a pod with this name is denied.
async fn denied(cluster: &Cluster, namespace: &str, name: &str) -> Option<String> {
    let mut pod = gmsa_testkit::objects::pod(
        namespace,
        "settled",
        &gmsa_testkit::objects::gmsa(Some(name), None),
    );
    pod["spec"]["serviceAccountName"] = json!(SETTLED);
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    match pods.create(&dry, &serde_json::from_value(pod).unwrap()).await {
        Err(kube::Error::Api(status)) => Some(status.message),
        _ => None,
    }
}

async fn account(cluster: &Cluster, namespace: &str) {
    let rbac = "rbac.authorization.k8s.io";
    let named = |namespaced: bool| {
        let mut metadata = json!({"name": SETTLED});
        if namespaced {
            metadata["namespace"] = json!(namespace);
        }
        metadata
    };
    let objects: [Value; 3] = [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named(true)}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole",
            "metadata": {"name": "gmsa-testkit-settled"},
            "rules": [{"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"],
                "verbs": ["use"]}]}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": named(true),
            "subjects": [{"kind": "ServiceAccount", "name": SETTLED, "namespace": namespace}],
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "gmsa-testkit-settled"}}),
    ];
    for object in objects {
        cluster.apply(&object).await;
    }
}
