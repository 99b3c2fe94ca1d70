//! Metrics over plain HTTP on a separate port.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::admission::Source;
use crate::metrics::{CONTENT_TYPE as METRICS_TYPE, Metrics};

/// Scrapers are few; more connections than this wait.
const CONNECTIONS: usize = 32;

/// Serves `/metrics` for as long as it is polled.
pub async fn run(listener: TcpListener, metrics: Arc<Metrics>, source: Source) {
    let slots = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (metrics, source) = (Arc::clone(&metrics), source.clone());
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(&request, &metrics, &source);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(30))
                .serve_connection(TokioIo::new(stream), service);
            // A scraper that disconnects is not an error.
            let _ = connection.await;
            drop(slot);
        });
    }
}

fn answer(
    request: &Request<Incoming>,
    metrics: &Metrics,
    source: &Source,
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
    let (known, age, live_mode) = source.state();
    metrics.store(known, age, live_mode);
    metrics.rejected(source.rejected_for());
    let mut response = Response::new(Full::from(metrics.render()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(METRICS_TYPE));
    response
}
