//! Metrics on a separate port, over plain HTTP or over HTTPS with the serving certificate.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gmsa_cluster::index::Keeper;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::admission::Source;
use crate::metrics::{CONTENT_TYPE as METRICS_TYPE, Metrics};
use crate::serve::tls::Tls;

/// Scrapers are few; more connections than this wait.
const CONNECTIONS: usize = 32;

/// How long a handshake, or the head of a request, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked at each scrape.
#[derive(Clone)]
pub struct Sources {
    /// The facts that decisions rest on.
    pub facts: Source,
    /// The index of credential specs, if this server keeps it.
    pub index: Option<Keeper>,
}

/// Serves `/metrics` for as long as it is polled; over HTTPS if there is `tls`.
pub async fn run(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    sources: Sources,
    tls: Option<Arc<Tls>>,
) {
    let slots = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (metrics, sources) = (Arc::clone(&metrics), sources.clone());
        let session = tls.as_ref().map(|tls| tls.session());
        tokio::spawn(async move {
            match session {
                None => serve(stream, &metrics, &sources).await,
                Some(session) => {
                    let shaken = session.acceptor(true).accept(stream);
                    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, shaken).await {
                        serve(stream, &metrics, &sources).await;
                    }
                }
            }
            drop(slot);
        });
    }
}

async fn serve<S>(stream: S, metrics: &Metrics, sources: &Sources)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: Request<Incoming>| {
        let response = answer(&request, metrics, sources);
        async move { Ok::<_, Infallible>(response) }
    });
    // Scrapers that know HTTP/2 use it over TLS.
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // A scraper that disconnects is not an error.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

fn answer(
    request: &Request<Incoming>,
    metrics: &Metrics,
    sources: &Sources,
) -> Response<Full<Bytes>> {
    let status = match (request.uri().path(), request.method()) {
        ("/metrics", &Method::GET | &Method::HEAD) => StatusCode::OK,
        ("/metrics", _) => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::NOT_FOUND,
    };
    if status != StatusCode::OK {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        return response;
    }
    let (known, age, live_mode) = sources.facts.state();
    metrics.store(known, age, live_mode);
    metrics.rejected(sources.facts.rejected_for());
    if let Some(index) = &sources.index {
        metrics.index(index.state());
    }
    let mut response = Response::new(Full::from(metrics.render()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(METRICS_TYPE));
    response
}
