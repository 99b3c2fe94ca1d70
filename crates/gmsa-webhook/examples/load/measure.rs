//! One run of a load generator against one server, and what it cost the server.
//!
//! Server and generator are pinned to a core each, so that neither takes the other's time. CPU time and
//! the time spent waiting for the core are the kernel's own, in nanoseconds (`/proc/PID/schedstat`).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::drive::Seen;

/// The core of the servers.
const SERVER: &str = "0";
/// The core of the generators.
const GENERATOR: &str = "1";

/// A server that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
}

impl Target {
    /// Pins the server's threads to its core.
    pub(crate) fn pin(&self) {
        let pid = self.pid.to_string();
        let done = Command::new("taskset").args(["-a", "-c", "-p", SERVER, &pid]).output();
        assert!(done.expect("taskset: apt-get install util-linux").status.success());
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) path: &'static str,
    /// The body; without one only hands are shaken.
    pub(crate) body: Option<PathBuf>,
    pub(crate) at_once: usize,
    pub(crate) idle: usize,
    pub(crate) seconds: f64,
    pub(crate) calls: u64,
    pub(crate) classical: bool,
}

impl Sent {
    /// As an API server sends it.
    pub(crate) fn as_api_server(
        path: &'static str,
        body: PathBuf,
        at_once: usize,
        seconds: f64,
    ) -> Self {
        let body = Some(body);
        Self { path, body, at_once, idle: 25, seconds, calls: u64::MAX, classical: false }
    }

    /// Nothing but handshakes.
    pub(crate) fn handshakes(at_once: usize, seconds: f64, classical: bool) -> Self {
        let calls = u64::MAX;
        Self { path: "/", body: None, at_once, idle: 0, seconds, calls, classical }
    }
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Calls a second.
    pub(crate) rate: f64,
    /// In microseconds.
    pub(crate) p50: f64,
    /// In microseconds.
    pub(crate) p99: f64,
    /// CPU time of the server for one call, in microseconds.
    pub(crate) cpu: f64,
    /// How long the server waited for its core, for one call, in microseconds: other programs ran.
    pub(crate) queued: f64,
    /// Which part of the time the server ran.
    pub(crate) server: f64,
    /// Which part of the time the generator ran.
    pub(crate) generator: f64,
    /// Handshakes for one call.
    pub(crate) handshakes: f64,
}

/// Runs a load.
pub(crate) fn measure(target: &Target, sent: &Sent) -> Measured {
    let before = running(target.pid);
    let seen = seen(&generator(target.address, sent).output().unwrap());
    let after = running(target.pid);
    let calls = number(seen.calls);
    let cpu = after.0 - before.0;
    Measured {
        rate: calls / seen.seconds,
        p50: seen.p50,
        p99: seen.p99,
        cpu: cpu / calls * 1e6,
        queued: (after.1 - before.1) / calls * 1e6,
        server: cpu / seen.seconds,
        generator: seen.cpu / seen.seconds,
        handshakes: number(seen.handshakes) / calls,
    }
}

/// Runs a load on warm connections while another generator makes so many connections a second.
pub(crate) fn measure_beside(target: &Target, sent: &Sent, rate: u32) -> Measured {
    // The other generator must not delay the one that measures.
    let mut command = Command::new("nice");
    let beside = Sent::handshakes(4, sent.seconds + 0.4, false);
    let generator = generator(target.address, &beside);
    command.arg("-n").arg("19").arg(generator.get_program()).args(generator.get_args());
    let mut others = command.args(["--rate", &rate.to_string()]);
    others = others.stdout(std::process::Stdio::piped());
    let others = others.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    let measured = measure(target, sent);
    let others = seen(&others.wait_with_output().unwrap());
    let made = number(others.handshakes) / others.seconds;
    assert!(made > f64::from(rate) * 0.8, "only {made:.0} handshakes a second were made");
    measured
}

fn generator(address: SocketAddr, sent: &Sent) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", GENERATOR]).arg(std::env::current_exe().unwrap()).arg("drive");
    command.args(["--address", &address.to_string(), "--path", sent.path]);
    command.args(["--at-once", &sent.at_once.to_string(), "--idle", &sent.idle.to_string()]);
    command.args(["--seconds", &sent.seconds.to_string(), "--calls", &sent.calls.to_string()]);
    if let Some(body) = &sent.body {
        command.arg("--body").arg(body);
    }
    if sent.classical {
        command.arg("--classical");
    }
    command
}

fn seen(output: &std::process::Output) -> Seen {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the generator failed: {stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How long a process ran, and how long it waited for a core, in seconds: the sums of its threads.
pub(crate) fn running(pid: u32) -> (f64, f64) {
    let mut sums = (0.0, 0.0);
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        // A thread may end meanwhile.
        let path = thread.unwrap().path().join("schedstat");
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let mut fields = text.split_whitespace().map(|field| field.parse::<f64>().unwrap());
        sums.0 += fields.next().unwrap() / 1e9;
        sums.1 += fields.next().unwrap() / 1e9;
    }
    sums
}

/// What came of several rounds: the median of each figure.
pub(crate) fn medians(rounds: &[Measured]) -> Measured {
    let of = |value: fn(&Measured) -> f64| median(rounds.iter().map(value).collect());
    Measured {
        rate: of(|one| one.rate),
        p50: of(|one| one.p50),
        p99: of(|one| one.p99),
        cpu: of(|one| one.cpu),
        queued: of(|one| one.queued),
        server: of(|one| one.server),
        generator: of(|one| one.generator),
        handshakes: of(|one| one.handshakes),
    }
}

/// The median of what a comparison within each round gives.
pub(crate) fn ratio(
    rounds: &[Measured],
    others: &[Measured],
    value: fn(&Measured, &Measured) -> f64,
) -> f64 {
    median(rounds.iter().zip(others).map(|(one, other)| value(one, other)).collect())
}

/// The median; of an even number the higher of both in the middle.
pub(crate) fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap());
    values[values.len() / 2]
}

/// A count as a number with a fraction.
pub(crate) fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Runs h2load over one HTTP/2 connection with 16 streams.
pub(crate) fn measure_http2(target: &Target, path: &str, body: &Path, seconds: u32) -> Measured {
    let log = tempfile::NamedTempFile::new().unwrap();
    let before = running(target.pid);
    let output = Command::new("taskset")
        .args(["-c", GENERATOR, "h2load", "-c", "1", "-m", "16"])
        .args(["-H", "content-type: application/json", "-d"])
        .arg(body)
        .args(["-D", &seconds.to_string()])
        .arg(format!("--log-file={}", log.path().display()))
        .arg(format!("https://localhost:{}{path}", target.address.port()))
        .output()
        .expect("h2load: apt-get install nghttp2-client");
    let after = running(target.pid);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    // The last of a timed run are cut off; none may fail.
    assert!(text.contains(" 0 failed, 0 errored"), "{text}");
    let mut took: Vec<f64> = Vec::new();
    for line in std::fs::read_to_string(log.path()).unwrap().lines() {
        // Start, status, microseconds.
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields[1], "200", "{line}");
        took.push(fields[2].parse().unwrap());
    }
    took.sort_by(f64::total_cmp);
    let calls = number(took.len() as u64);
    let cpu = after.0 - before.0;
    Measured {
        rate: calls / f64::from(seconds),
        p50: took[took.len() / 2],
        p99: took[took.len() * 99 / 100],
        cpu: cpu / calls * 1e6,
        queued: (after.1 - before.1) / calls * 1e6,
        server: cpu / f64::from(seconds),
        ..Measured::default()
    }
}
