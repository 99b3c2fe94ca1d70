//! A TCP proxy that can be cut and resumed. TLS stays between the two ends.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy to one address; ends when dropped.
pub struct TcpProxy {
    /// Where it listens.
    pub address: SocketAddr,
    open: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl TcpProxy {
    /// Starts a proxy to `target`.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, gate) = watch::channel(true);
        let task = tokio::spawn(async move {
            while let Ok((mut incoming, _)) = listener.accept().await {
                let mut gate = gate.clone();
                tokio::spawn(async move {
                    if !*gate.borrow() {
                        return;
                    }
                    let Ok(mut outgoing) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        // Either end may break it off.
                        _ = copy_bidirectional(&mut incoming, &mut outgoing) => {}
                        _ = gate.wait_for(|open| !*open) => {}
                    }
                });
            }
        });
        Self { address, open, task }
    }

    /// Breaks every connection, and every new one.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Lets new connections through again.
    pub fn resume(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}
