//! The accept loop: a limit on connections, and a shutdown that loses no request.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::http::{Handler, Routes};
use crate::serve::connection::{self, Limits};
use crate::serve::tls::Tls;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A port below 1024 as a user without the right to it.
    #[error(
        "failed to listen on {address}: permission denied: a process that is not root may not bind \
         port {port}; set --https-port (or HTTPS_PORT) to 8443 and the Service's targetPort with \
         it, or give the container the capability NET_BIND_SERVICE, or set the pod's sysctl \
         net.ipv4.ip_unprivileged_port_start=0", port = address.port()
    )]
    Privileged {
        /// The address.
        address: SocketAddr,
    },
    /// Any other reason.
    #[error("failed to listen on {address}: {source}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Listens on an address; an IPv6 wildcard accepts IPv4 as well.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let listen = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        // Answers are small and complete: they need not wait for more. Connections inherit it.
        socket.set_tcp_nodelay(true)?;
        socket.bind(&address.into())?;
        socket.listen(1024)?;
        TcpListener::from_std(socket.into())
    };
    listen().map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied if (1..1024).contains(&address.port()) => {
            BindError::Privileged { address }
        }
        _ => BindError::Other { address, source },
    })
}

/// How many connections may be of HTTP/2, which API servers speak only where a URL names the loopback
/// interface: each may have 100 streams, and a caller that takes no answers keeps all of them. The
/// others speak HTTP/1.1.
const HTTP2: usize = 64;

/// What the accept loop needs.
pub struct Server<H> {
    /// The listening socket.
    pub listener: TcpListener,
    /// TLS.
    pub tls: Arc<Tls>,
    /// What answers.
    pub routes: Arc<Routes<H>>,
    /// The limits of a connection.
    pub limits: Limits,
    /// How many connections may be open; beyond that none is accepted.
    pub connections: usize,
}

impl<H: Handler> Server<H> {
    /// Accepts until `stopping` turns true, then waits for the connections to end, at most for
    /// the grace of a connection.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let most = u32::try_from(self.connections).unwrap_or(u32::MAX);
        let slots = Arc::new(Semaphore::new(self.connections));
        let http2 = Arc::new(Semaphore::new(HTTP2));
        loop {
            let slot = tokio::select! {
                slot = Arc::clone(&slots).acquire_owned() => slot,
                _ = stopping.wait_for(|stopping| *stopping) => break,
            };
            let Ok(slot) = slot else { break };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stopping.wait_for(|stopping| *stopping) => break,
            };
            match accepted {
                Ok(accepted) => {
                    let limits = Limits { age: jittered(self.limits.age), ..self.limits };
                    let serving = connection::serve(
                        accepted,
                        self.tls.session(),
                        Arc::clone(&self.routes),
                        limits,
                        Arc::clone(&http2).try_acquire_owned().ok(),
                        stopping.clone(),
                    );
                    tokio::spawn(async move {
                        serving.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    // Mostly out of descriptors: some are free a moment later.
                    tracing::warn!(error = %error, "failed to accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        // Every slot is free when every connection has ended.
        if tokio::time::timeout(self.limits.grace, slots.acquire_many(most)).await.is_err() {
            tracing::warn!("stopped with connections still open");
        }
    }
}

/// A time spread by a tenth, so that connections do not all end at once.
fn jittered(time: Duration) -> Duration {
    let tenth = time / 10;
    let random = RandomState::new().hash_one(0_u8) % 1000;
    time.saturating_sub(tenth)
        + tenth.mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 500.0)
}
