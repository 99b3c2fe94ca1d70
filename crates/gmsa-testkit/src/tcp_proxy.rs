//! A TCP proxy that can be stalled, cut and resumed. TLS stays between the two ends.

use std::net::SocketAddr;

use tokio::io::{AsyncWriteExt as _, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a proxy lets through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// Answers are held back, requests arrive.
    Mute,
    /// Nothing, and connections stay open.
    Stalled,
    /// Nothing, and there are no connections.
    Cut,
}

/// A proxy to one address; ends when dropped.
pub struct TcpProxy {
    /// Where it listens.
    pub address: SocketAddr,
    gate: watch::Sender<Gate>,
    task: tokio::task::JoinHandle<()>,
}

impl TcpProxy {
    /// Starts a proxy to `target`.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, gate) = watch::channel(Gate::Open);
        let task = tokio::spawn(async move {
            while let Ok((incoming, _)) = listener.accept().await {
                let gate = gate.clone();
                tokio::spawn(async move {
                    if *gate.borrow() == Gate::Cut {
                        return;
                    }
                    let Ok(outgoing) = TcpStream::connect(target).await else { return };
                    pass(incoming, outgoing, gate).await;
                });
            }
        });
        Self { address, gate: sender, task }
    }

    /// Breaks every connection, and every new one.
    pub fn cut(&self) {
        self.gate.send_replace(Gate::Cut);
    }

    /// Drops all data from now on, and keeps connections open.
    pub fn stall(&self) {
        self.gate.send_replace(Gate::Stalled);
    }

    /// Holds back the target's answers, while requests still arrive.
    pub fn mute(&self) {
        self.gate.send_replace(Gate::Mute);
    }

    /// Lets new connections through again.
    pub fn resume(&self) {
        self.gate.send_replace(Gate::Open);
    }
}

async fn pass(mut incoming: TcpStream, mut outgoing: TcpStream, mut gate: watch::Receiver<Gate>) {
    loop {
        let now = *gate.borrow_and_update();
        let ended = async {
            match now {
                // Either end may break it off.
                Gate::Open => {
                    let _ = copy_bidirectional(&mut incoming, &mut outgoing).await;
                }
                Gate::Mute => {
                    let _ = copy(&mut incoming, &mut outgoing).await;
                    let _ = outgoing.shutdown().await;
                }
                Gate::Stalled => std::future::pending().await,
                Gate::Cut => {}
            }
        };
        tokio::select! {
            () = ended => return,
            changed = gate.changed() => if changed.is_err() { return },
        }
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}
