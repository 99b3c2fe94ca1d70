//! One run of h2load, and what it cost the server.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is sent where.
pub(crate) struct Load {
    pub(crate) port: u16,
    pub(crate) path: &'static str,
    pub(crate) body: PathBuf,
    pub(crate) seconds: u32,
}

/// What came of it.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    /// CPU time of the server for one request, in microseconds.
    pub(crate) cpu: f64,
    /// Half of the requests took at most this, in microseconds.
    pub(crate) p50: f64,
    /// 99 of 100 requests took at most this, in microseconds.
    pub(crate) p99: f64,
}

/// Runs a load for its time and looks at the server's CPU time before and after.
pub(crate) fn measure(load: &Load, pid: u32) -> Measured {
    let log = tempfile::NamedTempFile::new().unwrap();
    let before = cpu_seconds(pid);
    h2load(load.port, load.path, &load.body)
        .args(["-D", &load.seconds.to_string()])
        .arg(format!("--log-file={}", log.path().display()))
        .run();
    let cpu = cpu_seconds(pid) - before;
    let mut times: Vec<f64> = Vec::new();
    for line in std::fs::read_to_string(log.path()).unwrap().lines() {
        // Start, status, microseconds.
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields[1], "200", "{line}");
        times.push(fields[2].parse().unwrap());
    }
    times.sort_by(f64::total_cmp);
    let count = f64::from(u32::try_from(times.len()).unwrap());
    let at = |share: usize| times[times.len() * share / 100];
    Measured {
        rate: count / f64::from(load.seconds),
        cpu: cpu / count * 1e6,
        p50: at(50),
        p99: at(99),
    }
}

/// Sends this many requests.
pub(crate) fn send(port: u16, path: &str, body: &Path, requests: u32) {
    h2load(port, path, body).args(["-n", &requests.to_string()]).run();
}

/// What came of several rounds.
#[derive(Clone, Copy)]
pub(crate) struct Compared {
    /// The medians.
    pub(crate) measured: Measured,
    /// The median of the rates, as parts of the floor's in the same round.
    pub(crate) rate: f64,
    /// The median of the CPU times above the floor's in the same round, in microseconds.
    pub(crate) cpu: f64,
    /// The median of the 99th percentiles, as multiples of the floor's in the same round.
    pub(crate) p99: f64,
}

/// Compares rounds with those of the floor.
pub(crate) fn compare(rounds: &[Measured], floor: &[Measured]) -> Compared {
    let of = |value: fn(&Measured) -> f64| median(rounds.iter().map(value).collect());
    let with = |value: fn(&Measured, &Measured) -> f64| {
        median(rounds.iter().zip(floor).map(|(one, floor)| value(one, floor)).collect())
    };
    Compared {
        measured: Measured {
            rate: of(|one| one.rate),
            cpu: of(|one| one.cpu),
            p50: of(|one| one.p50),
            p99: of(|one| one.p99),
        },
        rate: with(|one, floor| one.rate / floor.rate),
        cpu: with(|one, floor| one.cpu - floor.cpu),
        p99: with(|one, floor| one.p99 / floor.p99),
    }
}

/// The median; of an even number the higher of both in the middle.
pub(crate) fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap());
    values[values.len() / 2]
}

struct H2Load(Command);

fn h2load(port: u16, path: &str, body: &Path) -> H2Load {
    let mut command = Command::new("h2load");
    command
        .args(["-c", "1", "-m", "16", "-H", "content-type: application/json", "-d"])
        .arg(body)
        .arg(format!("https://localhost:{port}{path}"));
    H2Load(command)
}

impl H2Load {
    fn args<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.0.args(args);
        self
    }

    fn arg(mut self, arg: String) -> Self {
        self.0.arg(arg);
        self
    }

    fn run(mut self) {
        let output = self.0.output().expect("h2load: apt-get install nghttp2-client");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        // The last of a timed run are cut off; none may fail.
        assert!(text.contains(" 0 failed, 0 errored"), "{text}");
    }
}

/// User and system time of a process, in seconds (proc(5): ticks of a hundredth).
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
