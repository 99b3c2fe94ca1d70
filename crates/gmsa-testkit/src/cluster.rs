//! What a test does with the shared control plane.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiCapabilities, ApiResource, Scope, pinned_kind};
use kube::{Api, Client};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::components::write_kubeconfig;
use crate::process::eventually;
use crate::requests::{has_service_account, token, unique};

const FIELD_MANAGER: &str = "gmsa-testkit";

/// The control plane of the test run, as one test sees it. Files that it hands out live as long.
pub struct Cluster {
    /// A client with every right (`system:masters`).
    pub client: Client,
    /// The kubeconfig of the administrator.
    pub kubeconfig: PathBuf,
    /// The certificate of the API server's authority, PEM.
    pub authority: PathBuf,
    /// The address of the API server, `https://127.0.0.1:PORT`.
    pub url: String,
    /// Major and minor version of Kubernetes.
    pub version: (u32, u32),
    files: TempDir,
}

impl Cluster {
    pub(crate) fn new(
        client: Client,
        kubeconfig: PathBuf,
        authority: PathBuf,
        url: String,
        version: (u32, u32),
    ) -> Self {
        let files = tempfile::Builder::new().prefix("kube-gmsa-test-").tempdir().unwrap();
        Self { client, kubeconfig, authority, url, version, files }
    }

    /// The address that the API server listens on.
    pub fn addr(&self) -> SocketAddr {
        self.url.trim_start_matches("https://").parse().unwrap()
    }

    /// Whether Kubernetes is at least this version.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }

    /// A name that no other test of the run uses.
    pub fn unique(&self, prefix: &str) -> String {
        unique(prefix)
    }

    /// Creates a namespace and waits for its service account.
    pub async fn namespace(&self, prefix: &str) -> String {
        self.namespace_with_labels(prefix, &json!({})).await
    }

    /// Creates a namespace with labels and waits for its service account.
    pub async fn namespace_with_labels(&self, prefix: &str, labels: &Value) -> String {
        let name = unique(prefix);
        self.apply(&json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": name, "labels": labels },
        }))
        .await;
        eventually("the namespace has its service account", Duration::from_mins(1), || async {
            has_service_account(&self.client, &name).await.then_some(())
        })
        .await;
        name
    }

    /// Applies an object of any kind on the server's side and returns what is stored. A kind that
    /// is not served yet (its definition was just created) is waited for.
    pub async fn apply(&self, object: &Value) -> Value {
        match self.try_apply(object).await {
            Ok(stored) => stored,
            Err(why) => panic!("failed to apply {object:#}: {why}"),
        }
    }

    /// As [`Cluster::apply`], for objects that the server may refuse.
    pub async fn try_apply(&self, object: &Value) -> kube::Result<Value> {
        let api = self.api(object).await;
        let name = object["metadata"]["name"].as_str().expect("the object has no name");
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let stored = api.patch(name, &params, &Patch::Apply(object)).await?;
        Ok(serde_json::to_value(stored).unwrap())
    }

    /// The API of an object's kind, in its namespace (`default` if it names none).
    pub async fn api(&self, object: &Value) -> Api<DynamicObject> {
        let (resource, capabilities) = self.kind(object).await;
        let client = self.client.clone();
        match capabilities.scope {
            Scope::Cluster => Api::all_with(client, &resource),
            Scope::Namespaced => {
                let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
                Api::namespaced_with(client, namespace, &resource)
            }
        }
    }

    async fn kind(&self, object: &Value) -> (ApiResource, ApiCapabilities) {
        let text = |key: &str| object[key].as_str().expect("the object has no kind").to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let kind = GroupVersionKind::gvk(group, version, &kind);
        eventually(&format!("the server knows {kind:?}"), Duration::from_secs(20), || async {
            pinned_kind(&self.client, &kind).await.ok()
        })
        .await
    }

    /// A token of a service account, valid for an hour.
    pub async fn token(&self, namespace: &str, service_account: &str) -> String {
        token(&self.client, namespace, service_account).await
    }

    /// A kubeconfig with the rights of a service account, which must exist.
    pub async fn token_kubeconfig(&self, namespace: &str, service_account: &str) -> PathBuf {
        let credentials = json!({ "token": self.token(namespace, service_account).await });
        self.write_kubeconfig(&self.url, &credentials)
    }

    /// A kubeconfig with the rights of a service account, which must exist, and the file that it
    /// names for the token: as in a pod, whose token changes.
    pub async fn token_file_kubeconfig(
        &self,
        namespace: &str,
        service_account: &str,
    ) -> (PathBuf, PathBuf) {
        let file = self.files.path().join(unique("token"));
        fs::write(&file, self.token(namespace, service_account).await).unwrap();
        (self.write_kubeconfig(&self.url, &json!({ "tokenFile": file })), file)
    }

    /// A kubeconfig whose user has these fields, such as `token` or `exec`.
    pub fn user_kubeconfig(&self, user: &Value) -> PathBuf {
        self.write_kubeconfig(&self.url, user)
    }

    /// The administrator's certificate and key, PEM.
    pub fn administrator(&self) -> (PathBuf, PathBuf) {
        (self.file("admin.crt"), self.file("admin.key"))
    }

    /// A kubeconfig of the administrator that reaches the API server through another address of
    /// 127.0.0.1.
    pub fn proxy_kubeconfig(&self, addr: SocketAddr) -> PathBuf {
        let credentials = json!({
            "client-certificate": self.file("admin.crt"),
            "client-key": self.file("admin.key"),
        });
        self.write_kubeconfig(&format!("https://{addr}"), &credentials)
    }

    /// A kubeconfig of a service account through another address of 127.0.0.1.
    pub async fn proxy_token_kubeconfig(
        &self,
        addr: SocketAddr,
        namespace: &str,
        service_account: &str,
    ) -> PathBuf {
        let credentials = json!({ "token": self.token(namespace, service_account).await });
        self.write_kubeconfig(&format!("https://{addr}"), &credentials)
    }

    /// A directory for the files of this test.
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.authority.with_file_name(name)
    }

    fn write_kubeconfig(&self, server: &str, credentials: &Value) -> PathBuf {
        let path = self.files.path().join(unique("kubeconfig"));
        write_kubeconfig(&path, server, &self.authority, credentials);
        path
    }
}
