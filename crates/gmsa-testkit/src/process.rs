//! Processes of the tests: started with their output in a file, and killed when dropped.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The poll interval for a condition without an event.
pub(crate) const POLL: Duration = Duration::from_millis(50);
/// The longest pause between two looks at a condition.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// A wait that a test's output mentions.
const NOTEWORTHY: Duration = Duration::from_secs(1);

/// A child process whose output goes to a file; killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command, standard output and error appended to the file `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Self {
        let child = with_log(&mut command, log)
            .spawn()
            .unwrap_or_else(|e| panic!("failed to start {name} ({command:?}): {e}"));
        Self { name: name.to_owned(), child, log: log.to_owned() }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Panics with the end of the log if the process has ended.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{} ended with {status}:\n{}", self.name, tail(&self.log));
        }
    }

    /// How the process ended, or None while it runs.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills the process and waits until it is gone, so that its ports are free again.
    pub fn kill(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }

    /// The end of the log.
    pub fn tail(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends the output of a command to the end of a file.
pub(crate) fn with_log<'a>(command: &'a mut Command, log: &Path) -> &'a mut Command {
    let file = File::options().create(true).append(true).open(log).unwrap();
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file)
}

/// Sends a signal by name (`TERM`, `STOP`, `CONT`) to a process.
pub fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(status.success(), "failed to send {name} to process {pid}: {status}");
}

/// Stops a process, and waits until each of its threads has stopped: on a busy machine some run on after
/// the signal was sent.
pub(crate) fn pause(pid: u32) {
    signal("STOP", pid);
    while threads(pid).any(|state| state != 'T') {
        std::thread::sleep(POLL);
    }
}

/// The state of each thread of a process (proc(5)); none if the process is gone.
fn threads(pid: u32) -> impl Iterator<Item = char> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| {
        // A thread may have ended meanwhile.
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    })
}

/// The last 40 lines of a log, for a failure's message.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(40);
    format!("{}:\n{}", log.display(), lines[from..].join("\n"))
}

/// A port of 127.0.0.1 that is free: one that the system gives to nobody who asks for any port, and that no other
/// test gets as long as this process lives, so that no connection or listener takes it before its owner does.
pub fn free_port() -> u16 {
    // A lock on a file for each port, held until the process ends.
    static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let dir = std::env::temp_dir().join("kube-gmsa-ports");
    std::fs::create_dir_all(&dir).unwrap();
    loop {
        let offset = RandomState::new().hash_one(0_u8) % 12_000;
        let port = 20_000 + u16::try_from(offset).unwrap();
        let lock =
            File::options().create(true).append(true).open(dir.join(port.to_string())).unwrap();
        if lock.try_lock().is_ok() && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            HELD.lock().unwrap().push(lock);
            return port;
        }
    }
}

/// Looks at a condition until it gives a value, and panics with `what` after the time given. What takes long is
/// looked at more rarely, because many conditions run a command or ask an API server.
pub async fn eventually<T, F>(what: &str, within: Duration, mut condition: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let start = Instant::now();
    loop {
        if let Some(value) = condition().await {
            if start.elapsed() > NOTEWORTHY {
                eprintln!("{what}: after {:.1} s", start.elapsed().as_secs_f64());
            }
            return value;
        }
        assert!(start.elapsed() < within, "{what}: not within {within:?}");
        tokio::time::sleep((start.elapsed() / 8).clamp(POLL, LONGEST_PAUSE)).await;
    }
}
