//! A cluster of one node for a whole test run: a real kubelet, container runtime and Service network, in
//! namespaces of its own (scripts/node.sh).

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use kube::Client;
use serde::{Deserialize, Serialize};

use crate::binaries;
use crate::components::ENVIRONMENT;
use crate::control_plane::client;
use crate::process::{Process, eventually};
use crate::run::Run;
use crate::tools::{self, cache, skip};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/node.sh");
/// The image of the pause container, which also answers for programs of Windows (src/bin/node-helper.rs).
pub const HELPER_IMAGE: &str = "kube-gmsa.test/helper:1";
const SOON: Duration = Duration::from_secs(30);

/// What the processes of a run tell each other of the cluster.
#[derive(Serialize, Deserialize)]
struct State {
    dir: PathBuf,
    helper: PathBuf,
    version: (u32, u32),
}

/// The cluster of this test run.
pub struct Node {
    /// A client with every right (`system:masters`).
    pub client: Client,
    /// The kubeconfig of the administrator; it works on this machine.
    pub kubeconfig: PathBuf,
    dir: PathBuf,
    helper: PathBuf,
    version: (u32, u32),
}

/// A port of this machine that leads to an address in the cluster, until it is dropped.
pub struct Forward {
    /// The port of 127.0.0.1.
    pub port: u16,
    _process: Process,
}

impl Node {
    /// The cluster of this test run, started with the image in `archive` under `image` if this is the first
    /// test that asks for it. None if the machine cannot run it: the test is then skipped by name, or fails
    /// where `CI=true`.
    pub async fn of_run(test: &str, archive: &Path, image: &str) -> Option<Self> {
        let binaries = binaries::find_node(test)?;
        let kubectl = tools::find(test, "kubectl")?;
        let files = cache().unwrap().join("node");
        let helper = files.join("node-helper");
        if !helper.is_file() {
            skip(test, "no container runtime; scripts/node.sh unpacks it");
            return None;
        }
        let able = Command::new(SCRIPT).arg("check").output().unwrap();
        if !able.status.success() {
            skip(test, String::from_utf8_lossy(&able.stderr).trim());
            return None;
        }
        let run = Run::current("node");
        let start = || async {
            let dir = run.peer_dir();
            run.at_end(&format!("{} down {}", quoted(Path::new(SCRIPT)), quoted(&dir)));
            let mut up = Command::new(SCRIPT);
            up.arg("up").arg(&dir);
            up.env("ASSETS", binaries.dir()).env("PACKAGES", files.join("packages"));
            up.env("HELPER", &helper).env("HELPER_IMAGE", files.join("helper.tar"));
            up.env("KUBECTL", kubectl).envs([ENVIRONMENT]);
            // Not captured: what stays in the background would keep the pipe open.
            let log = run.log();
            let status = crate::process::with_log(&mut up, &log).status().unwrap();
            assert!(status.success(), "the cluster did not start: {}", crate::process::tail(&log));
            import(&dir, archive, image);
            State { dir, helper: helper.clone(), version: binaries.version() }
        };
        let State { dir, helper, version } = run.state(start).await;
        let kubeconfig = dir.join("kubeconfig");
        let client = client(&kubeconfig).await;
        Some(Self { client, kubeconfig, dir, helper, version })
    }

    /// Major and minor version of Kubernetes.
    pub fn version(&self) -> (u32, u32) {
        self.version
    }

    /// Whether Kubernetes is at least this version.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }

    /// Runs a shell command on the node, in all its namespaces, and returns what it writes.
    pub fn shell(&self, command: &str) -> String {
        let mut run = Command::new(SCRIPT);
        run.arg("exec").arg(&self.dir).args(["sh", "-c", command]);
        succeeded(&run.output().unwrap())
    }

    /// Puts an image into the node's store.
    pub fn import(&self, archive: &Path, image: &str) {
        import(&self.dir, archive, image);
    }

    /// Ends the API server; all else goes on.
    pub fn stop_api_server(&self) {
        succeeded(
            &Command::new(SCRIPT).arg("stop").arg(&self.dir).arg("apiserver").output().unwrap(),
        );
    }

    /// Starts it again. It answers a while later.
    pub fn start_api_server(&self) {
        let mut start = Command::new(SCRIPT);
        start.arg("start").arg(&self.dir).arg("apiserver").envs([ENVIRONMENT]);
        // Not captured: what stays in the background would keep the pipe open.
        let log = self.dir.join("logs/start.log");
        let status = crate::process::with_log(&mut start, &log).status().unwrap();
        assert!(status.success(), "{}", crate::process::tail(&log));
    }

    /// Makes an address in the cluster (`10.244.0.5:8443`) reachable from this machine.
    pub async fn forward(&self, address: &str) -> Forward {
        let name = crate::requests::unique("forward");
        let (file, log) = (self.dir.join(&name), self.dir.join(format!("logs/{name}.log")));
        let mut forward = Command::new(&self.helper);
        forward.arg("forward").arg(self.dir.join("dial.sock")).arg(address).arg(&file);
        let process = Process::start("node-helper forward", forward, &log);
        let port = eventually("the port is known", SOON, || async {
            std::fs::read_to_string(&file).ok()?.parse().ok()
        })
        .await;
        Forward { port, _process: process }
    }
}

fn import(dir: &Path, archive: &Path, image: &str) {
    let mut import = Command::new(SCRIPT);
    import.arg("import").arg(dir).arg(archive).arg(image);
    succeeded(&import.output().unwrap());
}

fn succeeded(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
