//! What listens at the Service's address and passes connections to the ready replicas.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use kube::Client;
use kube::api::Api;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{LABEL, POLL, Problem, Workload};
use crate::process::Process;

/// How many replicas haproxy has room for.
const SLOTS: usize = 16;

/// The ready replicas, and the haproxy that is configured with them, if there is one.
#[derive(Clone, Default)]
pub(super) struct Front {
    inner: Arc<Mutex<Inner>>,
    haproxy: Option<PathBuf>,
}

#[derive(Default)]
struct Inner {
    ready: Vec<SocketAddr>,
    running: Option<Haproxy>,
}

impl Front {
    /// With this program, or with a proxy of our own.
    pub(super) fn new(haproxy: Option<PathBuf>) -> Self {
        Self { haproxy, ..Self::default() }
    }

    /// From now on new connections go to these.
    pub(super) fn set(&self, ready: Vec<SocketAddr>) {
        let mut inner = self.inner.lock().unwrap();
        if let Some(haproxy) = &mut inner.running {
            haproxy.set(&ready);
        }
        inner.ready = ready;
    }

    /// Sends no new connections to this one.
    pub(super) fn remove(&self, gone: SocketAddr) {
        let mut ready = self.ready();
        ready.retain(|one| *one != gone);
        self.set(ready);
    }

    /// Where new connections go.
    pub(super) fn ready(&self) -> Vec<SocketAddr> {
        self.inner.lock().unwrap().ready.clone()
    }

    /// Listens at the Service's address for as long as it is polled. A Service that is made anew has
    /// another one.
    pub(super) async fn run(self, client: Client, workload: Workload) {
        let services: Api<Service> = Api::namespaced(client, &workload.namespace);
        let mut connections = JoinSet::new();
        loop {
            let Some(address) = service_address(&services, &workload.name).await else {
                tokio::time::sleep(POLL).await;
                continue;
            };
            // The process that had the address before may still use it.
            let Ok(listener) = TcpListener::bind(address).await else {
                tokio::time::sleep(POLL).await;
                continue;
            };
            let moved = async {
                while service_address(&services, &workload.name).await == Some(address) {
                    tokio::time::sleep(POLL).await;
                }
            };
            if let Some(program) = &self.haproxy {
                drop(listener);
                self.start_haproxy(program, address);
                moved.await;
                self.inner.lock().unwrap().running = None;
                continue;
            }
            let unreachable = matches!(workload.problem, Some(Problem::Unreachable));
            tokio::select! {
                () = moved => {}
                () = self.accept(&listener, unreachable, &mut connections) => {}
            }
        }
    }

    fn start_haproxy(&self, program: &Path, address: SocketAddr) {
        let haproxy = Haproxy::start(program, address);
        let mut inner = self.inner.lock().unwrap();
        let ready = inner.ready.clone();
        inner.running.insert(haproxy).set(&ready);
    }

    /// Passes connections to the ready replicas in turn.
    async fn accept(
        &self,
        listener: &TcpListener,
        unreachable: bool,
        connections: &mut JoinSet<()>,
    ) {
        let mut turn = 0;
        while let Ok((mut incoming, _)) = listener.accept().await {
            if unreachable {
                connections.spawn(async move {
                    // Until the other side gives up.
                    let _ = tokio::io::copy(&mut incoming, &mut tokio::io::sink()).await;
                });
                continue;
            }
            let ready = self.ready();
            turn += 1;
            // Without endpoints the connection is refused, as by kube-proxy.
            let Some(target) = ready.get(turn % ready.len().max(1)).copied() else { continue };
            connections.spawn(async move {
                if let Ok(mut outgoing) = TcpStream::connect(target).await {
                    let _ = copy_bidirectional(&mut incoming, &mut outgoing).await;
                }
            });
        }
    }
}

/// Where the Service listens, if it is the one that finds our pods.
async fn service_address(services: &Api<Service>, name: &str) -> Option<SocketAddr> {
    let spec = services.get_opt(name).await.ok()??.spec?;
    let is_ours = spec.selector?.get(LABEL).is_some_and(|label| label == name);
    is_ours.then_some(SocketAddr::new(spec.cluster_ip?.parse().ok()?, 443))
}

/// A running haproxy whose backends are changed by its admin socket.
struct Haproxy {
    _process: Process,
    files: TempDir,
    slots: BTreeMap<usize, SocketAddr>,
}

impl Haproxy {
    fn start(program: &Path, address: SocketAddr) -> Self {
        let files = tempfile::tempdir().unwrap();
        let config = format!(
            "global\n  stats socket {socket} mode 600 level admin\n  maxconn 4096\n\
             defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  \
             timeout server 1h\n  retries 5\n  option redispatch 1\n\
             frontend service\n  bind {address}\n  default_backend replicas\n\
             backend replicas\n  balance roundrobin\n  \
             server-template replica 1-{SLOTS} 127.0.0.1:1 disabled\n",
            socket = files.path().join("admin").display(),
        );
        let file = files.path().join("haproxy.cfg");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(program);
        command.arg("-db").arg("-f").arg(&file);
        let mut process = Process::start("haproxy", command, &files.path().join("log"));
        let start = std::time::Instant::now();
        while UnixStream::connect(files.path().join("admin")).is_err() {
            process.assert_running();
            assert!(start.elapsed() < Duration::from_mins(1), "{}", process.tail());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { _process: process, files, slots: BTreeMap::new() }
    }

    /// Connections that are open stay open.
    fn set(&mut self, ready: &[SocketAddr]) {
        let gone: Vec<usize> = self
            .slots
            .iter()
            .filter(|(_, address)| !ready.contains(address))
            .map(|(slot, _)| *slot)
            .collect();
        for slot in gone {
            self.tell(&format!("set server replicas/replica{slot} state maint"));
            self.slots.remove(&slot);
        }
        for address in ready {
            if self.slots.values().any(|known| known == address) {
                continue;
            }
            let free = (1..=SLOTS).find(|slot| !self.slots.contains_key(slot));
            let slot = free.expect("there are fewer replicas than slots");
            let (ip, port) = (address.ip(), address.port());
            self.tell(&format!("set server replicas/replica{slot} addr {ip} port {port}"));
            self.tell(&format!("set server replicas/replica{slot} state ready"));
            self.slots.insert(slot, *address);
        }
    }

    fn tell(&self, command: &str) {
        let mut socket = UnixStream::connect(self.files.path().join("admin")).unwrap();
        writeln!(socket, "{command}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let answer = answer.trim();
        // A change of address is confirmed in words, and so is that it is as it was; one of the state
        // by none.
        let done = answer.contains("changed") || answer.contains("no need to change");
        assert!(answer.is_empty() || done, "{command}: {answer}");
    }
}
