//! One connection: TLS handshake, HTTP/2 or HTTP/1.1, a maximum age.
//!
//! API servers call webhooks over HTTP/1.1 and do not retry a POST on a closed connection: the pod would
//! be refused. So an HTTP/1.1 connection closes only with an answer that announces it, and an idle one
//! stays open for longer than a Go client keeps it (90 s). HTTP/2 has GOAWAY.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::http::{Caller, Frames, Handler, Routes};
use crate::serve::stream::{Noticed, OneBuffer};
use crate::serve::tls::{HTTP2, Session};

/// What happened on a connection.
#[derive(Default)]
struct Seen {
    /// A request came.
    asked: AtomicBool,
    /// It was one of HTTP/1.
    http1: AtomicBool,
    /// An answer of HTTP/1 was given, and what comes next is a head.
    between: AtomicBool,
    /// The head has begun to come.
    begun: AtomicBool,
    /// The connection is to end with the next answer.
    last: AtomicBool,
}

impl Seen {
    fn bytes(&self) {
        if self.between.load(Ordering::Relaxed) {
            self.begun.store(true, Ordering::Relaxed);
        }
    }

    /// Ends when the head of an HTTP/1 request after the first takes longer than this, from its first
    /// byte. Polled only when something happens on the connection, which suffices. (An HTTP/2 frame
    /// that does not end delays the answer to a ping, which ends the connection.)
    async fn slow_head(&self, time: Duration) {
        let mut limit = None;
        std::future::poll_fn(|context| {
            if !self.begun.load(Ordering::Relaxed) {
                limit = None;
                return Poll::Pending;
            }
            limit.get_or_insert_with(|| Box::pin(tokio::time::sleep(time))).as_mut().poll(context)
        })
        .await;
    }
}

/// The limits of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a handshake may take, then the first request, and then the head of a later one of
    /// HTTP/1 from its first byte on.
    pub header_time: Duration,
    /// How long an idle HTTP/1 connection is kept.
    pub idle_time: Duration,
    /// After this time a connection is closed gracefully, so that new replicas get load.
    pub age: Duration,
    /// How long the requests of a closing connection may take.
    pub grace: Duration,
    /// How many streams of one HTTP/2 connection may be open.
    pub streams: u32,
}

/// Serves one connection until it ends, gets too old, or the server stops. Without a permit for HTTP/2
/// it is one of HTTP/1.1.
pub async fn serve<H: Handler>(
    (stream, peer): (TcpStream, SocketAddr),
    session: Arc<Session>,
    routes: Arc<Routes<H>>,
    limits: Limits,
    http2: Option<OwnedSemaphorePermit>,
    mut stopping: watch::Receiver<bool>,
) {
    let handshake = session.acceptor(http2.is_some()).accept(stream);
    // Boxed, as the connection below, because what is moved from one layer to the next takes memory in
    // each for as long as the connection is open.
    let stream = match Box::pin(tokio::time::timeout(limits.header_time, handshake)).await {
        Ok(Ok(stream)) => Box::new(stream),
        Ok(Err(error)) => {
            tracing::debug!(%peer, error = %error, "failed to shake hands");
            return;
        }
        Err(_) => {
            tracing::debug!(%peer, "the TLS handshake took too long");
            return;
        }
    };
    let tls = stream.get_ref().1;
    let caller = Caller { trusted: session.trusts(tls) };
    // Held until the connection ends.
    let http2 = http2.filter(|_| tls.alpn_protocol() == Some(HTTP2));
    let seen = Arc::new(Seen::default());
    let service = {
        let seen = Arc::clone(&seen);
        service_fn(move |request| answer(request, Arc::clone(&routes), caller, Arc::clone(&seen)))
    };
    let stream = {
        let seen = Arc::clone(&seen);
        Noticed::new(OneBuffer(stream), limits.header_time, move || seen.bytes())
    };
    let builder = builder(limits, http2.is_some());
    let mut connection = Box::pin(builder.serve_connection(TokioIo::new(stream), service));
    let closing = async {
        tokio::select! {
            () = tokio::time::sleep(limits.age) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        if seen.http1.load(Ordering::Relaxed) {
            seen.last.store(true, Ordering::Relaxed);
            tokio::select! {
                () = tokio::time::sleep(limits.idle_time) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        }
    };
    // HTTP/2 does not limit this itself, and HTTP/1 has the longer limit of idle connections.
    let silent = async {
        tokio::time::sleep(limits.header_time).await;
        if seen.asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        // Progress first, then the limits.
        biased;
        ended = connection.as_mut() => ended,
        () = seen.slow_head(limits.header_time) => {
            tracing::debug!(%peer, "the head of a request took too long");
            return;
        }
        () = silent => {
            tracing::debug!(%peer, "no request came in time");
            return;
        }
        () = closing => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(limits.grace, connection.as_mut()).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, error = %error, "the connection broke");
    }
}

async fn answer<H: Handler>(
    request: Request<Incoming>,
    routes: Arc<Routes<H>>,
    caller: Caller,
    seen: Arc<Seen>,
) -> Result<Response<Frames>, std::convert::Infallible> {
    seen.asked.store(true, Ordering::Relaxed);
    let http1 = request.version() < Version::HTTP_2;
    if http1 {
        seen.http1.store(true, Ordering::Relaxed);
        seen.between.store(false, Ordering::Relaxed);
        seen.begun.store(false, Ordering::Relaxed);
    }
    let mut response = routes.answer(request, caller).await;
    if http1 {
        seen.between.store(true, Ordering::Relaxed);
    }
    if http1 && (seen.last.load(Ordering::Relaxed) || routes.draining()) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

fn builder(limits: Limits, http2: bool) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    builder
        .http1()
        .timer(TokioTimer::new())
        // It runs while the connection is idle, too. Until the first request the limit is shorter.
        .header_read_timeout(limits.idle_time)
        // Of each connection: as much as a TLS record holds.
        .max_buf_size(16 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .max_header_list_size(32 * 1024)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}
