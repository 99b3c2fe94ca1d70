//! Paths, methods, limits: what HTTP asks before a decision is made.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use tracing::Instrument as _;

use crate::body::Frames;

/// Which admission endpoint is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/mutate`.
    Mutate,
    /// `/validate`.
    Validate,
    /// `/warn`.
    Warn,
    /// `/validate-credspec`.
    ValidateCredspec,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 4] = [Self::Mutate, Self::Validate, Self::Warn, Self::ValidateCredspec];

    /// Its path without the slash.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Validate => "validate",
            Self::Warn => "warn",
            Self::ValidateCredspec => "validate-credspec",
        }
    }

    /// The endpoint at a path; those that only warn are there only if that was asked for.
    fn at(path: &str, early_warnings: bool) -> Option<Self> {
        match path {
            "/mutate" => Some(Self::Mutate),
            "/validate" => Some(Self::Validate),
            "/warn" if early_warnings => Some(Self::Warn),
            "/validate-credspec" if early_warnings => Some(Self::ValidateCredspec),
            _ => None,
        }
    }
}

/// The answer to a body.
#[derive(Debug)]
pub enum Answer {
    /// An AdmissionReview: 200.
    Review(Bytes),
    /// A `Status` that says why the body is no AdmissionReview: 400.
    Malformed(Bytes),
}

/// What answers the admission endpoints.
pub trait Handler: Send + Sync + 'static {
    /// Answers one AdmissionReview.
    fn review(&self, endpoint: Endpoint, body: Bytes) -> impl Future<Output = Answer> + Send;
    /// Refuses one because the server is at its limit.
    fn refuse(&self, endpoint: Endpoint, body: &Bytes) -> Answer;
    /// Whether the facts that decisions need can be had, or the reason why not.
    fn ready(&self) -> Result<(), String>;
}

/// The limits of one request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How many admission requests may be in hand.
    pub requests: usize,
    /// Whether the endpoints that only warn are there.
    pub early_warnings: bool,
}

/// The routes over a handler.
pub struct Routes<H> {
    handler: H,
    limits: Limits,
    in_flight: Arc<AtomicUsize>,
    draining: AtomicBool,
    certificate: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// What is known of the caller.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Whether it may use the admission endpoints: it showed a certificate of the client CA, or
    /// none is asked for.
    pub trusted: bool,
}

type Reply = Response<Frames>;

impl<H: Handler> Routes<H> {
    /// Makes the routes. `certificate` says whether one is loaded, or why not.
    #[must_use]
    pub fn new(
        handler: H,
        limits: Limits,
        in_flight: Arc<AtomicUsize>,
        certificate: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    ) -> Self {
        Self { handler, limits, in_flight, draining: AtomicBool::new(false), certificate }
    }

    /// From now on not ready: the endpoints of the Service should notice.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the server is about to stop.
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether requests are welcome, or why not.
    pub fn ready(&self) -> Result<(), String> {
        if self.draining() {
            return Err("the server is stopping".to_owned());
        }
        (self.certificate)()?;
        self.handler.ready()
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>, caller: Caller) -> Reply {
        let path = request.uri().path();
        let Some(endpoint) = Endpoint::at(path, self.limits.early_warnings) else {
            return self.probe(request.method(), path);
        };
        if request.method() != Method::POST {
            return not_allowed("POST");
        }
        if !caller.trusted {
            return text(
                StatusCode::FORBIDDEN,
                "a client certificate of the API server's CA is required\n",
            );
        }
        if !is_json(request.headers().get(CONTENT_TYPE)) {
            return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/json\n");
        }
        let span = tracing::info_span!(
            target: crate::telemetry::traces!(),
            "admission",
            otel.name = endpoint.as_str(),
            otel.kind = "server",
            http.request.body.size = tracing::field::Empty,
        );
        self.admit(endpoint, request).instrument(span).await
    }

    async fn admit(&self, endpoint: Endpoint, request: Request<Incoming>) -> Reply {
        // A place is taken with the body in hand: a slow caller keeps none from the others.
        let body = match self.read(request).await {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        tracing::Span::current().record("http.request.body.size", body.len());
        match Slot::take(&self.in_flight, self.limits.requests) {
            Some(_slot) => reply(self.handler.review(endpoint, body).await),
            None => reply(self.handler.refuse(endpoint, &body)),
        }
    }

    fn probe(&self, method: &Method, path: &str) -> Reply {
        if !matches!(path, "/livez" | "/healthz" | "/readyz" | "/health" | "/info") {
            return text(StatusCode::NOT_FOUND, "not found\n");
        }
        if method != Method::GET && method != Method::HEAD {
            return not_allowed("GET, HEAD");
        }
        match (path, self.ready()) {
            ("/info", _) => {
                let info = concat!("{\"version\":\"", env!("CARGO_PKG_VERSION"), "\"}\n");
                json(StatusCode::OK, Bytes::from_static(info.as_bytes()))
            }
            ("/health", Ok(())) => text(StatusCode::NO_CONTENT, ""),
            ("/livez" | "/healthz", _) | (_, Ok(())) => text(StatusCode::OK, "ok\n"),
            (_, Err(why)) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        }
    }

    /// Collects the body within its limits.
    async fn read(&self, request: Request<Incoming>) -> Result<Bytes, Reply> {
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let most = self.limits.body_bytes;
        if announced.is_some_and(|length| length > most as u64) {
            return Err(too_large(most));
        }
        match tokio::time::timeout(self.limits.body_time, collect(request.into_body(), most)).await
        {
            Ok(Ok(Some(body))) => Ok(body),
            Ok(Ok(None)) => Err(too_large(most)),
            Ok(Err(error)) => {
                Err(text(StatusCode::BAD_REQUEST, format!("failed to read the body: {error}\n")))
            }
            Err(_) => Err(text(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time\n")),
        }
    }
}

/// The whole body, or none if it is too large. A body of one frame is not copied.
async fn collect(mut body: Incoming, most: usize) -> hyper::Result<Option<Bytes>> {
    let mut first: Option<Bytes> = None;
    let mut rest: Option<BytesMut> = None;
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length > most {
            return Ok(None);
        }
        match (&mut first, &mut rest) {
            (None, _) => first = Some(data),
            (Some(_), Some(rest)) => rest.extend_from_slice(&data),
            (Some(first), rest @ None) => {
                let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0);
                let mut whole = BytesMut::with_capacity(length + expected.min(most));
                whole.extend_from_slice(first);
                whole.extend_from_slice(&data);
                *rest = Some(whole);
            }
        }
    }
    Ok(Some(rest.map(BytesMut::freeze).or(first).unwrap_or_default()))
}

/// A place among the requests in hand.
struct Slot<'a>(&'a AtomicUsize);

impl<'a> Slot<'a> {
    fn take(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        if count.fetch_add(1, Ordering::AcqRel) < most {
            Some(Self(count))
        } else {
            count.fetch_sub(1, Ordering::AcqRel);
            None
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let Some(value) = content_type.and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn reply(answer: Answer) -> Reply {
    match answer {
        Answer::Review(body) => json(StatusCode::OK, body),
        Answer::Malformed(body) => json(StatusCode::BAD_REQUEST, body),
    }
}

fn json(status: StatusCode, body: Bytes) -> Reply {
    with_type(status, HeaderValue::from_static("application/json"), body)
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    with_type(status, HeaderValue::from_static("text/plain; charset=utf-8"), body.into())
}

fn with_type(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Reply {
    let mut response = Response::new(Frames::from(body));
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

fn too_large(most: usize) -> Reply {
    text(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is over the limit of {most} bytes\n"))
}

fn not_allowed(allow: &'static str) -> Reply {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}
