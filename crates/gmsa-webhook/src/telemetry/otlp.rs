//! Traces to an OpenTelemetry collector: OTLP 1 in protobuf over plain HTTP/1.1.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
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

/// How long one export, and the last one at the end, may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// The largest answer of a collector that is read, in bytes.
const ANSWER: usize = 64 * 1024;

/// Why there are no traces.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client of the collector could not be made.
    #[error("failed to make a client for --otlp-endpoint: {0}")]
    Client(#[from] std::io::Error),
    /// The exporter could not be made.
    #[error("failed to set up traces for --otlp-endpoint: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Where traces go: `http://HOST[:PORT][/PATH]`; port 80 and path `/v1/traces` unless given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected http://HOST:PORT, such as http://collector:4318";
        let uri: Uri = text.parse().map_err(|_| expected.to_owned())?;
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        if uri.scheme_str() != Some("http") || authority.is_empty() || authority.contains('@') {
            return Err(expected.to_owned());
        }
        let uri = match uri.path() {
            "" | "/" => format!("http://{authority}/v1/traces").parse(),
            _ => Ok(uri),
        };
        uri.map(Self).map_err(|_| expected.to_owned())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Traces that go to a collector, from a thread of their own.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    pub(super) fn start(endpoint: &Endpoint) -> Result<Self, Error> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new()?)
            .with_endpoint(endpoint.to_string())
            .with_timeout(PATIENCE)
            .build()?;
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource =
            Resource::builder().with_service_name("gmsa-webhook").with_attribute(version).build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter);
        Ok(Self(provider.build()))
    }

    /// What takes down spans: those of admissions and, within them, of calls to the API server.
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

    /// Sends what is left. A collector that is away holds the end up for a moment only.
    pub(super) fn end(&self) {
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
        // The connection may end with the answer read but not yet looked at.
        ended = connection => {
            ended?;
            exchange.await
        }
    }
}
