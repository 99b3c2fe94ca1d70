//! What listens at the Service's address and passes connections to the ready replicas.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::Service;
use kube::Client;
use kube::api::{Api, GetParams};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{LABEL, POLL, Problem, Workload};

/// The ready replicas.
#[derive(Clone, Default)]
pub(super) struct Front {
    ready: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Front {
    /// From now on new connections go to these.
    pub(super) fn set(&self, ready: Vec<SocketAddr>) {
        *self.ready.lock().unwrap() = ready;
    }

    /// Sends no new connections to this one.
    pub(super) fn remove(&self, gone: SocketAddr) {
        self.ready.lock().unwrap().retain(|one| *one != gone);
    }

    /// Where new connections go.
    fn ready(&self) -> Vec<SocketAddr> {
        self.ready.lock().unwrap().clone()
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
                    tokio::time::sleep(5 * POLL).await;
                }
            };
            let unreachable = matches!(workload.problem, Some(Problem::Unreachable));
            tokio::select! {
                () = moved => {}
                () = self.accept(&listener, unreachable, &mut connections) => {}
            }
        }
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
    let spec = services.get_with(name, &GetParams::any()).await.ok()?.spec?;
    let is_ours = spec.selector?.get(LABEL).is_some_and(|label| label == name);
    is_ours.then_some(SocketAddr::new(spec.cluster_ip?.parse().ok()?, 443))
}
