//! A control plane of a test's own: etcd, kube-apiserver and kube-controller-manager.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use k8s_openapi::ByteString;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binaries;
use crate::components::{Layout, write_kubeconfig};
use crate::json_http::exchange;
use crate::process::{POLL, Process, pause, signal};
use crate::requests::{has_service_account, is_ready, token, unique};

const START: Duration = Duration::from_mins(2);

/// What a control plane is started with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Further arguments of kube-apiserver.
    pub extra_api_server_args: Vec<String>,
    /// Whether Deployments become Pods, and namespaces get their service account.
    pub with_controller_manager: bool,
}

/// A running control plane, killed and removed when dropped.
pub struct ControlPlane {
    layout: Layout,
    // Stopped in this order, before their directory is removed.
    controller_manager: Option<Process>,
    api_server: Option<Process>,
    _etcd: Process,
    dir: TempDir,
}

impl ControlPlane {
    /// Starts a control plane that no other test sees, and waits until it can be used. None if the
    /// programs are missing: the test is then skipped by name, or fails where `CI=true`.
    pub async fn start_private(test: &str, options: Options) -> Option<Self> {
        let binaries = binaries::find(test)?;
        let dir = tempfile::Builder::new().prefix("kube-gmsa-control-plane-").tempdir().unwrap();
        let layout = Layout::new(dir.path(), binaries, options.extra_api_server_args);
        let etcd = Process::start("etcd", layout.etcd(), &layout.log("etcd"));
        let mut plane =
            Self { layout, controller_manager: None, api_server: None, _etcd: etcd, dir };
        plane.start_api_server().await;
        if options.with_controller_manager {
            let log = plane.layout.log("kube-controller-manager");
            let command = plane.layout.controller_manager();
            let process = Process::start("kube-controller-manager", command, &log);
            let client = plane.client().await;
            let process = plane.controller_manager.insert(process);
            let start = Instant::now();
            while !has_service_account(&client, "default").await {
                process.assert_running();
                assert!(start.elapsed() < START, "no service account: {}", process.tail());
                tokio::time::sleep(POLL).await;
            }
        }
        Some(plane)
    }

    /// A client with every right (`system:masters`).
    pub async fn client(&self) -> Client {
        client(&self.kubeconfig_path()).await
    }

    /// The kubeconfig of the administrator.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.layout.kubeconfig("admin")
    }

    /// A kubeconfig with the rights of a service account, which must exist.
    pub async fn token_kubeconfig(&self, namespace: &str, service_account: &str) -> PathBuf {
        let token = token(&self.client().await, namespace, service_account).await;
        let path = self.dir.path().join(unique("kubeconfig"));
        let authority = self.dir.path().join("ca.crt");
        write_kubeconfig(&path, &self.url(), &authority, &json!({ "token": token }));
        path
    }

    /// The address of the API server, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.layout.url()
    }

    /// The port of the API server.
    pub fn port(&self) -> u16 {
        self.layout.api_port
    }

    /// The directory of the certificates (`ca.crt`) and logs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Major and minor version of Kubernetes.
    pub fn version(&self) -> (u32, u32) {
        self.layout.version
    }

    /// Whether Kubernetes is at least this version.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        self.version() >= (major, minor)
    }

    /// Kills the API server and waits until it has ended.
    pub fn stop_api_server(&mut self) {
        self.api_server = None;
    }

    /// Starts the API server at the same address again and waits until it is ready.
    pub async fn start_api_server(&mut self) {
        self.api_server = None;
        let log = self.layout.log("kube-apiserver");
        let process = Process::start("kube-apiserver", self.layout.api_server(), &log);
        let client = self.client().await;
        let api_server = self.api_server.insert(process);
        let start = Instant::now();
        while !is_ready(&client).await {
            api_server.assert_running();
            assert!(start.elapsed() < START, "the API server is not ready: {}", api_server.tail());
            tokio::time::sleep(POLL).await;
        }
    }

    /// Stores an object past the API server's checks, as a server of another version may have stored
    /// it. `key` is that of etcd, below `/registry`.
    pub fn store(&self, key: &str, object: &Value) {
        let base64 = |text: String| ByteString(text.into_bytes());
        let body = json!({"key": base64(format!("/registry/{key}")),
            "value": base64(object.to_string())});
        let answer = exchange(self.layout.etcd_port, "POST", "/v3/kv/put", Some(&body)).unwrap();
        assert!(answer["header"]["revision"].is_string(), "{answer}");
    }

    /// Stops the API server's process without ending it: connections stay open and are silent.
    pub fn pause(&self) {
        pause(self.api_server_id());
    }

    /// Lets a paused API server go on.
    pub fn resume(&self) {
        signal("CONT", self.api_server_id());
    }

    fn api_server_id(&self) -> u32 {
        self.api_server.as_ref().expect("the API server was stopped").id()
    }
}

/// Major and minor version of the programs that a test would start. None if they are missing: the test is
/// then skipped by name, or fails where `CI=true`.
pub fn version_of_programs(test: &str) -> Option<(u32, u32)> {
    binaries::find(test).map(|found| found.version())
}

/// Makes a client from a kubeconfig.
pub async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("failed to read the kubeconfig");
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    // The tests want to see the first answer.
    config.default_retry = false;
    Client::try_from(config).expect("failed to make a client")
}
