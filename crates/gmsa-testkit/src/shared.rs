//! One control plane for a whole test run, though cargo-nextest gives each test a process.
//!
//! The first process that asks starts the components, detached, and a watcher. The watcher kills
//! them and removes their directory as soon as the runner is gone, however it ended.

use std::fs::{self, File};
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process};

use serde::{Deserialize, Serialize};

use crate::binaries::{self, Binaries};
use crate::cluster::Cluster;
use crate::components::Layout;
use crate::control_plane::{client, has_service_account, is_ready};
use crate::process::{POLL, tail, with_log};

/// A machine that builds at the same time may be slow.
const START: Duration = Duration::from_mins(3);

/// Waits for the end of the process $1, then kills what the file $2/pids lists and removes $2.
/// A zombie counts as ended: nobody may be there to reap the runner.
const WATCHER: &str = r#"
alive() { kill -0 "$1" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"; }
while alive "$1"; do sleep 0.3; done
while read -r pid; do kill -KILL "$pid" 2>/dev/null; done <"$2/pids"
rm -rf "$2" || { sleep 1; rm -rf "$2"; }
"#;

/// Notes its process id before it becomes the component, so that none can be missed.
const COMPONENT: &str = r#"pids=$1; shift; echo $$ >>"$pids"; exec "$@""#;

/// What the processes of a run tell each other.
#[derive(Serialize, Deserialize)]
struct State {
    kubeconfig: PathBuf,
    url: String,
    authority: PathBuf,
    version: (u32, u32),
}

/// The control plane of this test run, started if this is the first test that asks for it. None if
/// the programs are missing: the test is then skipped by name, or fails where `CI=true`.
pub async fn cluster(test: &str) -> Option<Cluster> {
    let binaries = binaries::find(test)?;
    let run = Run::current();
    let state = run.state(binaries).await;
    let client = client(&state.kubeconfig).await;
    Some(Cluster::new(client, state.kubeconfig, state.authority, state.url, state.version))
}

/// The test run that this process belongs to.
struct Run {
    runner: u32,
    dir: PathBuf,
}

impl Run {
    /// Under cargo-nextest the runner is the parent; otherwise each process is a run of its own.
    fn current() -> Self {
        let (runner, key) = match env::var("NEXTEST_RUN_ID") {
            Ok(id) if parent_id() > 1 => (parent_id(), id),
            _ => (process::id(), format!("process-{}", process::id())),
        };
        Self { runner, dir: env::temp_dir().join(format!("kube-gmsa-run-{key}")) }
    }

    async fn state(&self, binaries: Binaries) -> State {
        fs::create_dir_all(&self.dir).unwrap();
        let lock = File::create(self.dir.join("lock")).unwrap();
        // Held while another process starts the components, and freed if that process dies.
        let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
        let _lock = lock.unwrap().expect("failed to lock the directory of the test run");
        let state = self.dir.join("state.json");
        if let Ok(text) = fs::read(&state) {
            return serde_json::from_slice(&text).unwrap();
        }
        let started = self.start(binaries).await;
        fs::write(&state, serde_json::to_vec(&started).unwrap()).unwrap();
        started
    }

    async fn start(&self, binaries: Binaries) -> State {
        self.clear_failed_start();
        self.start_watcher();
        let dir = self.dir.join("control-plane");
        let version = binaries.version;
        let layout = Layout::new(&dir, binaries, Vec::new());
        let kubeconfig = layout.kubeconfig("admin");
        let client = client(&kubeconfig).await;
        self.start_component(&layout.etcd(), &layout.log("etcd"));
        let log = layout.log("kube-apiserver");
        self.start_component(&layout.api_server(), &log);
        let start = Instant::now();
        while !is_ready(&client).await {
            assert!(start.elapsed() < START, "the API server is not ready: {}", tail(&log));
            tokio::time::sleep(POLL).await;
        }
        let log = layout.log("kube-controller-manager");
        self.start_component(&layout.controller_manager(), &log);
        while !has_service_account(&client, "default").await {
            assert!(start.elapsed() < START, "no default service account: {}", tail(&log));
            tokio::time::sleep(POLL).await;
        }
        State { kubeconfig, url: layout.url(), authority: dir.join("ca.crt"), version }
    }

    /// A process that died while it started the components has left them behind.
    fn clear_failed_start(&self) {
        let pids = self.dir.join("pids");
        for pid in fs::read_to_string(&pids).unwrap_or_default().lines() {
            let _gone_already = Command::new("kill").args(["-s", "KILL", pid]).output();
        }
        fs::write(&pids, "").unwrap();
        let _was_not_there = fs::remove_dir_all(self.dir.join("control-plane"));
    }

    fn start_watcher(&self) {
        let mut watcher = Command::new("setsid");
        watcher.args(["/bin/sh", "-c", WATCHER, "gmsa-testkit-watcher"]);
        watcher.arg(self.runner.to_string()).arg(&self.dir);
        // Not the test's own output: the runner would wait for its end.
        watcher.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // The working directory may be one that a test removes.
        watcher.current_dir("/").spawn().expect("failed to start setsid");
    }

    fn start_component(&self, command: &Command, log: &Path) {
        let mut detached = Command::new("setsid");
        detached.args(["/bin/sh", "-c", COMPONENT, "sh"]).arg(self.dir.join("pids"));
        detached.arg(command.get_program()).args(command.get_args()).current_dir("/");
        with_log(&mut detached, log).spawn().expect("failed to start setsid");
    }
}
