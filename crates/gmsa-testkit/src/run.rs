//! What a whole test run shares, though cargo-nextest gives each test a process.
//!
//! The first process that asks starts the components, detached, and a watcher. The watcher kills
//! them and removes their directory as soon as the runner is gone, however it ended.

use std::fs::{self, File};
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, process};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::process::with_log;

/// Waits for the end of the process $1, then runs the script $2/at-end, kills what the file $2/pids lists
/// and removes $2.
/// A zombie counts as ended: nobody may be there to reap the runner. Each component leads a process
/// group of its own.
const WATCHER: &str = r#"
alive() { kill -0 "$1" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"; }
while alive "$1"; do sleep 0.3; done
[ ! -f "$2/at-end" ] || sh "$2/at-end" >/dev/null 2>&1
while read -r pid; do kill -s KILL -- "-$pid" 2>/dev/null; done <"$2/pids"
rm -rf "$2" || { sleep 1; rm -rf "$2"; }
"#;

/// Notes its process id before it becomes the component, so that none can be missed.
const COMPONENT: &str = r#"pids=$1; shift; echo $$ >>"$pids"; exec "$@""#;

/// The part of a test run that one shared peer takes.
pub(crate) struct Run {
    runner: u32,
    dir: PathBuf,
    name: &'static str,
}

impl Run {
    /// Under cargo-nextest the runner is the parent; otherwise each process is a run of its own.
    pub(crate) fn current(name: &'static str) -> Self {
        let (runner, key) = match env::var("NEXTEST_RUN_ID") {
            Ok(id) if parent_id() > 1 => (parent_id(), id),
            _ => (process::id(), format!("process-{}", process::id())),
        };
        Self { runner, dir: env::temp_dir().join(format!("kube-gmsa-{name}-{key}")), name }
    }

    /// Where the peer keeps its files.
    pub(crate) fn peer_dir(&self) -> PathBuf {
        self.dir.join(self.name)
    }

    /// A log beside those files.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// Has a shell command run at the end of the run.
    pub(crate) fn at_end(&self, command: &str) {
        fs::write(self.dir.join("at-end"), command).unwrap();
    }

    /// What the first process of the run said of the peer that it started; this one if it is first.
    pub(crate) async fn state<T, F>(&self, start: impl FnOnce() -> F) -> T
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = T>,
    {
        fs::create_dir_all(&self.dir).unwrap();
        let lock = File::create(self.dir.join("lock")).unwrap();
        // Held while another process starts the components, and freed if that process dies.
        let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
        let _lock = lock.unwrap().expect("failed to lock the directory of the test run");
        let state = self.dir.join("state.json");
        if let Ok(text) = fs::read(&state) {
            return serde_json::from_slice(&text).unwrap();
        }
        self.clear_failed_start();
        self.start_watcher();
        let started = start().await;
        fs::write(&state, serde_json::to_vec(&started).unwrap()).unwrap();
        started
    }

    /// A process that died while it started the components has left them behind.
    fn clear_failed_start(&self) {
        let at_end = self.dir.join("at-end");
        if at_end.is_file() {
            let _gone_already = Command::new("sh").arg(&at_end).output();
        }
        let pids = self.dir.join("pids");
        for pid in fs::read_to_string(&pids).unwrap_or_default().lines() {
            let group = format!("-{pid}");
            let _gone_already = Command::new("kill").args(["-s", "KILL", "--", &group]).output();
        }
        fs::write(&pids, "").unwrap();
        let _was_not_there = fs::remove_dir_all(self.peer_dir());
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

    /// Starts a component that ends with the run.
    pub(crate) fn start_component(&self, command: &Command, log: &Path) {
        let mut detached = Command::new("setsid");
        detached.args(["/bin/sh", "-c", COMPONENT, "sh"]).arg(self.dir.join("pids"));
        detached.arg(command.get_program()).args(command.get_args()).current_dir("/");
        detached.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        with_log(&mut detached, log).spawn().expect("failed to start setsid");
    }
}
