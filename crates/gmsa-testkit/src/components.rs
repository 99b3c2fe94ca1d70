//! The files and command lines of a control plane's components.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::binaries::Binaries;
use crate::pki::{self, Authority};
use crate::process::free_port;

/// A directory with certificates, kubeconfigs, logs and data, and the ports of one control plane.
pub(crate) struct Layout {
    dir: PathBuf,
    binaries: Binaries,
    /// Major and minor version.
    pub(crate) version: (u32, u32),
    pub(crate) etcd_port: u16,
    etcd_peer_port: u16,
    pub(crate) api_port: u16,
    extra_api_server_args: Vec<String>,
}

/// What its programs run with: they live for a minute, and would spend much of it on collecting garbage.
pub(crate) const ENVIRONMENT: (&str, &str) = ("GOGC", "400");

const API_SERVER_NAMES: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

impl Layout {
    /// Chooses ports and writes certificates and kubeconfigs into `dir`.
    pub(crate) fn new(dir: &Path, binaries: Binaries, extra_api_server_args: Vec<String>) -> Self {
        let layout = Self {
            dir: dir.to_owned(),
            version: binaries.version(),
            binaries,
            etcd_port: free_port(),
            etcd_peer_port: free_port(),
            api_port: free_port(),
            extra_api_server_args,
        };
        fs::create_dir_all(dir).unwrap();
        let authority = Authority::new("kube-gmsa test control plane");
        authority.pair().write(dir, "ca");
        authority.server(&API_SERVER_NAMES).write(dir, "apiserver");
        let admin = authority.client("admin", &["system:masters"]);
        admin.write(dir, "admin");
        authority.client("system:kube-controller-manager", &[]).write(dir, "controller-manager");
        let (public, private) = pki::signing_key();
        fs::write(dir.join("service-accounts.pub"), public).unwrap();
        fs::write(dir.join("service-accounts.key"), private).unwrap();
        let server = layout.url();
        for user in ["admin", "controller-manager"] {
            let credentials = json!({
                "client-certificate": dir.join(format!("{user}.crt")),
                "client-key": dir.join(format!("{user}.key")),
            });
            write_kubeconfig(&layout.kubeconfig(user), &server, &dir.join("ca.crt"), &credentials);
        }
        layout
    }

    /// The address of the API server.
    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.api_port)
    }

    /// The kubeconfig of `admin` (`system:masters`) or `controller-manager`.
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.dir.join(format!("{user}.kubeconfig"))
    }

    /// The log of a component.
    pub(crate) fn log(&self, component: &str) -> PathBuf {
        self.dir.join(format!("{component}.log"))
    }

    fn arg(&self, flag: &str, file: &str) -> String {
        format!("--{flag}={}", self.dir.join(file).display())
    }

    fn command(program: &Path) -> Command {
        let mut command = Command::new(program);
        command.envs([ENVIRONMENT]);
        command
    }

    /// The command line of etcd, which trades durability for speed.
    pub(crate) fn etcd(&self) -> Command {
        let mut command = Self::command(&self.binaries.etcd());
        let client = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer = format!("http://127.0.0.1:{}", self.etcd_peer_port);
        command
            .arg(self.arg("data-dir", "etcd"))
            .arg(format!("--listen-client-urls={client}"))
            .arg(format!("--advertise-client-urls={client}"))
            .arg(format!("--listen-peer-urls={peer}"))
            .arg(format!("--initial-advertise-peer-urls={peer}"))
            .arg(format!("--initial-cluster=default={peer}"))
            .arg("--unsafe-no-fsync");
        command
    }

    /// The addresses of Services: all of this machine's own, so that a test can listen on one.
    fn service_range(&self) -> String {
        let [high, low] = self.api_port.to_be_bytes();
        format!("127.{high}.{low}.0/24")
    }

    /// The command line of kube-apiserver.
    pub(crate) fn api_server(&self) -> Command {
        let mut command = Self::command(&self.binaries.api_server());
        command
            .arg(format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port))
            .arg("--bind-address=127.0.0.1")
            .arg(format!("--secure-port={}", self.api_port))
            .arg(self.arg("cert-dir", "generated"))
            .arg(self.arg("tls-cert-file", "apiserver.crt"))
            .arg(self.arg("tls-private-key-file", "apiserver.key"))
            .arg(self.arg("client-ca-file", "ca.crt"))
            .arg(format!("--service-cluster-ip-range={}", self.service_range()))
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg(self.arg("service-account-key-file", "service-accounts.pub"))
            .arg(self.arg("service-account-signing-key-file", "service-accounts.key"))
            .arg("--allow-privileged=true")
            .arg(self.arg("kubelet-client-certificate", "admin.crt"))
            .arg(self.arg("kubelet-client-key", "admin.key"));
        // Off by default there, and always on later.
        if (20..=22).contains(&self.version.1) {
            command.arg("--feature-gates=EphemeralContainers=true");
        }
        let mode = "--authorization-mode=";
        if !self.extra_api_server_args.iter().any(|arg| arg.starts_with(mode)) {
            command.arg(format!("{mode}RBAC"));
        }
        command.args(&self.extra_api_server_args);
        command
    }

    /// The command line of kube-controller-manager.
    pub(crate) fn controller_manager(&self) -> Command {
        let mut command = Self::command(&self.binaries.controller_manager());
        command
            .arg(self.arg("kubeconfig", "controller-manager.kubeconfig"))
            .arg("--use-service-account-credentials")
            // By default 20 requests a second, of which it makes more than a hundred at its start.
            .args(["--kube-api-qps=1000", "--kube-api-burst=1000"])
            .arg(self.arg("service-account-private-key-file", "service-accounts.key"))
            .arg(self.arg("root-ca-file", "ca.crt"))
            .arg("--leader-elect=false")
            .arg(self.arg("cluster-signing-cert-file", "ca.crt"))
            .arg(self.arg("cluster-signing-key-file", "ca.key"))
            .arg(self.arg("cert-dir", "generated"))
            .arg("--bind-address=127.0.0.1")
            .arg(format!("--secure-port={}", free_port()));
        // The plain port of old versions is fixed, and there are several control planes at once.
        if self.version.1 < 24 {
            command.arg("--port=0");
        }
        command
    }
}

/// Writes a kubeconfig with one context. It is JSON, which is YAML too.
pub(crate) fn write_kubeconfig(
    path: &Path,
    server: &str,
    authority: &Path,
    credentials: &serde_json::Value,
) {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "test",
            "cluster": { "server": server, "certificate-authority": authority },
        }],
        "users": [{ "name": "test", "user": credentials }],
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        "current-context": "test",
    });
    fs::write(path, serde_json::to_vec_pretty(&kubeconfig).unwrap()).unwrap();
}
