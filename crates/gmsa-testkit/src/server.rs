//! The server under test as a separate process.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::https::Https;
use crate::process::{eventually, signal};

const SOON: Duration = Duration::from_secs(30);

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Where it serves HTTPS.
    pub https: SocketAddr,
    /// Where it serves metrics.
    pub metrics: SocketAddr,
}

impl Server {
    /// Starts a program on free ports of 127.0.0.1 and waits until it listens. The environment
    /// contains only what is given.
    pub async fn start(program: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.env_clear().envs(env.iter().copied()).args(args);
        let given = |name: &str| args.iter().any(|arg| arg.starts_with(name));
        for (flag, value) in [("--listen", "127.0.0.1"), ("--metrics-port", "0")] {
            if !given(flag) {
                command.arg(format!("{flag}={value}"));
            }
        }
        if !given("--https-port") && !env.iter().any(|(name, _)| *name == "HTTPS_PORT") {
            command.arg("--https-port=0");
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {program}: {error}"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (stderr, lines) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, log, https: nowhere, metrics: nowhere };
        let line = server.wait_for_log("\"listening\"").await;
        let line: Value = serde_json::from_str(&line).expect("the log is JSON");
        let address = |key: &str| line[key].as_str().unwrap().parse().unwrap();
        (server.https, server.metrics) = (address("address"), address("metrics"));
        server
    }

    /// Waits until the server says that it is ready.
    pub async fn ready(&self, ca: &str) {
        self.ready_as("localhost", ca).await;
    }

    /// Waits until the server, called by this name, says that it is ready.
    pub async fn ready_as(&self, name: &str, ca: &str) {
        let https = Https::new(self.https, ca).called(name);
        eventually("the server is ready", SOON, || async {
            let answer = https.get("/readyz").await.ok()?;
            (answer.status == StatusCode::OK).then_some(())
        })
        .await;
    }

    /// Waits for a line of the log that has these words, and returns it.
    pub async fn wait_for_log(&mut self, words: &str) -> String {
        let start = std::time::Instant::now();
        loop {
            if let Some(line) = self.log().into_iter().find(|line| line.contains(words)) {
                return line;
            }
            let ended = self.child.try_wait().unwrap();
            let late = start.elapsed() > SOON;
            assert!(
                ended.is_none() && !late,
                "no line with {words} in the log ({ended:?}):\n{}",
                self.log().join("\n")
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The lines of the log so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(name, self.child.id());
    }

    /// Whether the process has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end of the process.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        let start = std::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < SOON, "the server does not end:\n{}", self.log().join("\n"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The resident memory in bytes.
    pub fn resident_memory(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory that there ever was, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The value of a metric by the beginning of its line, labels included; 0 if it is not there.
    pub async fn metric(&self, sample: &str) -> f64 {
        let page = crate::https::plain_get(self.metrics, "/metrics").await;
        page.lines()
            .find_map(|line| line.strip_prefix(sample)?.trim().parse().ok())
            .unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log().join("\n"));
        }
    }
}
