//! What the tests against a real API server share.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod checks;
mod other;
mod policies;
pub mod table;

use std::path::Path;
use std::time::Duration;

use gmsa_core::credspec::canonical_json;
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::objects;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use gmsa_testkit::shared;
use gmsa_testkit::webhook::Webhook;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

pub use other::other_webhook;
pub use policies::Policies;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_gmsa-webhook");
pub const SOON: Duration = Duration::from_secs(30);

/// The shared control plane, a server of this test's own in front of it, and a namespace that the
/// server guards, or the API server itself.
pub struct World {
    pub cluster: Cluster,
    pub authority: Authority,
    pub server: Server,
    pub webhook: Webhook,
    pub namespace: String,
    /// What decides in the namespace, if that is not the webhook.
    pub policies: Option<Policies>,
}

/// The same tests of pods in a world of each engine.
macro_rules! engines {
    ($($test:ident),+ $(,)?) => {
        mod webhook {
            $(#[tokio::test]
            async fn $test() {
                if let Some(world) = crate::support::world(stringify!($test)).await {
                    super::$test(world).await;
                }
            })+
        }
        mod policies {
            $(#[tokio::test]
            async fn $test() {
                if let Some(world) = crate::support::world_of_policies(stringify!($test)).await {
                    super::$test(world).await;
                }
            })+
        }
    };
}
pub(crate) use engines;

/// None where there is no control plane; the test is then skipped by name.
pub async fn world(test: &str) -> Option<World> {
    let cluster = shared::cluster(test).await?;
    let kubeconfig = cluster.kubeconfig.clone();
    Some(world_behind(cluster, &kubeconfig, &[]).await)
}

/// The same in a namespace in which the API server's own policies decide.
pub async fn world_of_policies(test: &str) -> Option<World> {
    let cluster = shared::cluster(test).await?;
    if !cluster.at_least(1, 36) {
        let why = "API servers have mutating policies from 1.36; see docs/engine.md";
        gmsa_testkit::tools::skip_in_ci_too(test, why);
        return None;
    }
    let kubeconfig = cluster.kubeconfig.clone();
    let world = world_behind(cluster, &kubeconfig, &[]).await;
    let (policies, namespace) = Policies::install(&world.cluster).await;
    Some(World { namespace, policies: Some(policies), ..world })
}

/// The same with a way of the server to the API server, and flags.
pub async fn world_behind(cluster: Cluster, kubeconfig: &Path, flags: &[&str]) -> World {
    install_definition(&cluster).await;
    let authority = Authority::new("test");
    let server = server(&cluster, &authority, kubeconfig, flags).await;
    let webhook = Webhook::register(&cluster, server.https, authority.pem()).await;
    let namespace = webhook.namespace(&cluster, "pods").await;
    World { cluster, authority, server, webhook, namespace, policies: None }
}

/// Applies the resource definition and waits until it is served.
pub async fn install_definition(cluster: &Cluster) {
    let definition = json!(gmsa_cluster::installation::definition::definition());
    cluster.apply(&definition).await;
    let resource = gmsa_cluster::api::objects::kinds::CREDENTIAL_SPEC.resource();
    let api: Api<kube::api::DynamicObject> = Api::all_with(cluster.client.clone(), &resource);
    eventually("credential specs are served", SOON, || async {
        api.list(&ListParams::default()).await.ok().map(drop)
    })
    .await;
}

/// A ready server with a certificate of the authority.
pub async fn server(
    cluster: &Cluster,
    authority: &Authority,
    kubeconfig: &Path,
    more: &[&str],
) -> Server {
    let pair = authority.server(&["localhost", "127.0.0.1"]);
    let (certificate, key) = pair.write(cluster.files(), &cluster.unique("server"));
    let flag = |name: &str, path: &Path| format!("{name}={}", path.display());
    let own = [
        flag("--kubeconfig", kubeconfig),
        flag("--tls-cert", &certificate),
        flag("--tls-key", &key),
    ];
    let args: Vec<&str> = own.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let server = Server::start(PROGRAM, &args, &[]).await;
    server.ready(authority.pem()).await;
    server
}

impl World {
    /// Creates a credential spec with a name of its own, and lets a service account use it.
    pub async fn credential_spec(&self, account: &str) -> String {
        let name = self.cluster.unique("spec");
        self.cluster.apply(&objects::credential_spec(&name, "WebApp1")).await;
        self.grant(&name, account).await;
        name
    }

    /// Lets a service account use a credential spec, and waits until the API server says so.
    pub async fn grant(&self, name: &str, account: &str) {
        self.cluster.apply(&objects::role(name)).await;
        self.cluster.apply(&objects::binding(name, &self.namespace, account)).await;
        self.reviewed(name, account, true).await;
    }

    /// Waits until the API server's own access review has this answer.
    pub async fn reviewed(&self, name: &str, account: &str, allowed: bool) {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "LocalSubjectAccessReview",
            "metadata": {"namespace": self.namespace},
            "spec": {"user": format!("system:serviceaccount:{}:{account}", self.namespace),
                "groups": ["system:serviceaccounts"],
                "resourceAttributes": {"verb": "use", "group": "windows.k8s.io", "name": name,
                    "resource": "gmsacredentialspecs", "namespace": self.namespace}}});
        let review: k8s_openapi::api::authorization::v1::LocalSubjectAccessReview =
            serde_json::from_value(review).unwrap();
        let api = Api::namespaced(self.cluster.client.clone(), &self.namespace);
        eventually("the right is known", SOON, || async {
            let answer = api.create(&PostParams::default(), &review).await.unwrap();
            (answer.status.unwrap().allowed == allowed).then_some(())
        })
        .await;
    }

    /// The label by which the webhook configurations find the namespace; it ends their names.
    pub async fn label(&self) -> String {
        let namespaces: Api<Namespace> = Api::all(self.cluster.client.clone());
        let namespace = namespaces.get(&self.namespace).await.unwrap();
        namespace.metadata.labels.unwrap()["gmsa-testkit/webhook"].clone()
    }

    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.cluster.client.clone(), &self.namespace)
    }

    /// Creates a pod and returns it as it is stored.
    pub async fn create(&self, pod: &Value) -> Value {
        self.try_create(pod).await.unwrap_or_else(|(_, message)| panic!("denied: {message}"))
    }

    /// Waits until every credential spec is known to what decides. The webhook reads them when it is
    /// asked.
    pub async fn settled(&self) {
        if let Some(policies) = &self.policies {
            policies.settled(&self.cluster, &self.namespace).await;
        }
    }

    /// Creates a pod, or returns the code and message of the refusal, with nothing stored.
    pub async fn try_create(&self, pod: &Value) -> Result<Value, (u16, String)> {
        self.settled().await;
        let typed: Pod = serde_json::from_value(pod.clone()).unwrap();
        match self.pods().create(&PostParams::default(), &typed).await {
            Ok(stored) => Ok(serde_json::to_value(stored).unwrap()),
            Err(kube::Error::Api(status)) => {
                let name = pod["metadata"]["name"].as_str().unwrap();
                assert!(self.pods().get_opt(name).await.unwrap().is_none(), "it was stored");
                Err((status.code, status.message.clone()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Adds an ephemeral container to a pod that is there; needs an API server from 1.23.
    pub async fn add_ephemeral(
        &self,
        pod: &Value,
        context: &Value,
    ) -> Result<Value, (u16, String)> {
        self.settled().await;
        let container = json!({"name": "debug", "image": "i", "securityContext": context});
        let patch = Patch::Strategic(json!({"spec": {"ephemeralContainers": [container]}}));
        let name = pod["metadata"]["name"].as_str().unwrap();
        let params = PatchParams::default();
        match self.pods().patch_subresource("ephemeralcontainers", name, &params, &patch).await {
            Ok(stored) => Ok(serde_json::to_value(stored).unwrap()),
            Err(kube::Error::Api(status)) => Err((status.code, status.message.clone())),
            Err(error) => panic!("{error}"),
        }
    }

    pub fn pod(&self, context: &Value) -> Value {
        objects::pod(&self.namespace, &self.cluster.unique("pod"), context)
    }
}

/// The contents at a place of a stored pod.
pub fn contents_at<'a>(pod: &'a Value, place: &str) -> Option<&'a str> {
    pod.pointer(&format!("{place}/securityContext/windowsOptions/gmsaCredentialSpec"))?.as_str()
}

/// The canonical JSON of the contents that an account has.
pub fn canonical(account: &str) -> String {
    canonical_json(&objects::contents(account))
}
