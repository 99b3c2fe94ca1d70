//! The server as a child process, killed when dropped.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::https::Client;

const START_WITHIN: Duration = Duration::from_secs(20);

/// A running server.
pub struct Server {
    /// How to talk to it.
    pub client: Client,
    /// The command line, as a user would type it.
    pub command: String,
    /// How long it took until it was ready.
    pub ready_after: Duration,
    child: Child,
    _directory: TempDir,
}

/// The path of one of the project's programs, in the directory of this one.
pub fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("failed to find the path of this program")?;
    let path = own.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        bail!("failed to find {}; build it with `cargo build --workspace --bins`", path.display());
    }
    Ok(path)
}

impl Server {
    /// Starts the server over a directory of manifests and waits until it is ready.
    pub fn start(root: &Path, store: &str) -> Result<Self> {
        let directory = tempfile::tempdir().context("failed to make a temporary directory")?;
        let (ca, log) = (directory.path().join("ca.pem"), directory.path().join("log"));
        let port = free_port()?.to_string();
        let options = ["--store", store, "--listen", "127.0.0.1", "--https-port", &port];
        let begun = Instant::now();
        let mut child = Command::new(program("gmsa-webhook")?)
            .args(options)
            .args(["--metrics-port", "0", "--ca-file-out"])
            .arg(&ca)
            // Settings for another server must not reach this one.
            .env_clear()
            .current_dir(root)
            .stdin(Stdio::null())
            .stderr(File::create(&log).context("failed to make a log file")?)
            .spawn()
            .context("failed to start gmsa-webhook")?;
        let port = port.parse()?;
        let client = match wait(&mut child, port, &ca, begun + START_WITHIN) {
            Ok(client) => client,
            Err(error) => {
                // It may have ended already.
                let _ = child.kill();
                let log = fs::read_to_string(&log).unwrap_or_default();
                return Err(error.context(format!("failed to start gmsa-webhook; its log:\n{log}")));
            }
        };
        Ok(Self {
            client,
            command: format!("gmsa-webhook {} --ca-file-out ca.pem", options.join(" ")),
            ready_after: begun.elapsed(),
            child,
            _directory: directory,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(child: &mut Child, port: u16, ca: &Path, deadline: Instant) -> Result<Client> {
    loop {
        if let Some(status) = child.try_wait()? {
            bail!("it ended with {status}");
        }
        if let Ok(client) = Client::new(port, ca)
            && matches!(client.get("/readyz"), Ok(200))
        {
            return Ok(client);
        }
        if Instant::now() > deadline {
            bail!("it was not ready within {} s", START_WITHIN.as_secs());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a port")?;
    Ok(listener.local_addr()?.port())
}
