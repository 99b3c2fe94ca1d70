//! Traces to an OpenTelemetry collector: OTLP 1 in protobuf over plain HTTP/1.1.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::{Layer, Registry};

use super::{Collector, Error};

/// How long one export, and the last one at the end, may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// The largest answer of a collector that is read, in bytes.
const ANSWER: usize = 64 * 1024;

/// Sends traces to a collector, on a separate thread.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    pub(super) fn start(collector: &Collector) -> Result<Self, Error> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new()?)
            .with_endpoint(collector.to_string())
            .with_timeout(PATIENCE)
            .build()?;
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource =
            Resource::builder().with_service_name("gmsa-webhook").with_attribute(version).build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter);
        Ok(Self(provider.build()))
    }

    /// Records spans: those of admissions and, within them, of calls to the API server.
    pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let wanted = Targets::new()
            .with_target("gmsa_webhook", LevelFilter::INFO)
            .with_target("gmsa_cluster", LevelFilter::INFO)
            .with_target("kube_client", LevelFilter::DEBUG);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("gmsa-webhook"))
            .with_location(false)
            .with_threads(false)
            .with_filter(wanted)
            .boxed()
    }
}

impl Drop for Traces {
    /// Sends the remaining spans. An unreachable collector delays the shutdown only briefly.
    fn drop(&mut self) {
        let _ = self.0.shutdown_with_timeout(PATIENCE);
    }
}

/// A client for the exporter's thread, which has no runtime: this one is the client's own.
#[derive(Debug)]
struct Client(Runtime);

impl Client {
    fn new() -> std::io::Result<Self> {
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().map(Self)
    }
}

impl HttpClient for Client {
    fn send_bytes<'a, 'f>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            self.0.block_on(async { tokio::time::timeout(PATIENCE, send(request)).await })?
        })
    }
}

async fn send(mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let authority = request.uri().authority().cloned().ok_or("the endpoint has no host")?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).parse()?;
    *request.uri_mut() = path;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
        let body = Limited::new(body, ANSWER).collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        answer = exchange.as_mut() => answer,
        // The connection may end with the answer read but not yet parsed.
        ended = connection => {
            ended?;
            exchange.await
        }
    }
}
