//! The thread that makes TLS handshakes.
//!
//! One takes as long as dozens of answers, and API servers make a new connection for each call above 25
//! at once. On a thread of its own none of them delays an answer on another connection.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The thread; it ends when this is dropped.
pub struct Handshakes {
    runtime: Handle,
    _running: oneshot::Sender<()>,
}

impl Handshakes {
    /// Starts the thread.
    pub fn start() -> io::Result<Self> {
        // The sockets stay with the runtime that accepted them.
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel();
        std::thread::Builder::new().name("handshakes".to_owned()).spawn(move || {
            // It gets no message: the end of the sender is what ends it.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { runtime: handle, _running: running })
    }

    /// Runs a handshake on the thread; none if it panicked or the thread ends.
    pub(super) async fn run<F>(&self, handshake: F) -> Option<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.spawn(handshake).await.ok()
    }
}
