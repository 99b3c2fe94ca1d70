//! Paths, methods, limits: what HTTP asks before a decision is made.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
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
    /// Answers one AdmissionReview; `timeout` is how long the caller still waits, if it
    /// says so.
    fn review(
        &self,
        endpoint: Endpoint,
        body: Bytes,
        timeout: Option<Duration>,
    ) -> impl Future<Output = Answer> + Send;
    /// Refuses one because the server is at its limit.
    fn refuse(&self, endpoint: Endpoint, body: &Bytes) -> Answer;
    /// Is told of one that was refused unread because too many bytes are in hand.
    fn turned_away(&self, endpoint: Endpoint);
    /// Whether the facts that decisions need can be had, or the reason why not.
    fn ready(&self) -> Result<(), String>;
}

/// The limits of one request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// How many bytes of bodies may be in hand, all together.
    pub bytes_in_hand: usize,
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
    bytes_in_hand: AtomicUsize,
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
        Self {
            handler,
            limits,
            in_flight,
            bytes_in_hand: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            certificate,
        }
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
            return unread(not_allowed("POST"));
        }
        if !caller.trusted {
            return unread(text(
                StatusCode::FORBIDDEN,
                "a client certificate of the API server's CA is required\n",
            ));
        }
        if !is_json(request.headers().get(CONTENT_TYPE)) {
            let why = "expected application/json\n";
            return unread(text(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
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
        let timeout = request.uri().query().and_then(timeout).map(|wait| (Instant::now(), wait));
        // A place is taken with the body in hand: a slow caller keeps none from the others.
        let (body, _share) = match self.read(request).await {
            Ok(read) => read,
            Err(Unread::Full) => {
                self.handler.turned_away(endpoint);
                return unread(Unread::Full.reply(&self.limits));
            }
            Err(why) => return unread(why.reply(&self.limits)),
        };
        tracing::Span::current().record("http.request.body.size", body.len());
        // The caller waits since it began to send.
        let timeout = timeout.map(|(arrived, wait)| wait.saturating_sub(arrived.elapsed()));
        match Slot::take(&self.in_flight, self.limits.requests) {
            Some(_slot) => reply(self.handler.review(endpoint, body, timeout).await),
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
    async fn read(&self, request: Request<Incoming>) -> Result<(Bytes, Share<'_>), Unread> {
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
            .map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        let most = self.limits.body_bytes;
        if announced > most {
            return Err(Unread::TooLarge);
        }
        let mut share = Share::new(&self.bytes_in_hand, &self.limits);
        // Of what is only announced no more than this: who wants to hold more has to send it.
        share.cover(announced.clamp(STREAM, STEP))?;
        let body = collect(request.into_body(), most, &mut share);
        match tokio::time::timeout(self.limits.body_time, body).await {
            Ok(body) => Ok((body?, share)),
            Err(_) => Err(Unread::Late),
        }
    }
}

/// Why there is no body.
enum Unread {
    TooLarge,
    Full,
    Late,
    Broken(hyper::Error),
}

impl From<hyper::Error> for Unread {
    fn from(error: hyper::Error) -> Self {
        Self::Broken(error)
    }
}

impl Unread {
    fn reply(self, limits: &Limits) -> Reply {
        match self {
            Self::TooLarge => text(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is over the limit of {} bytes\n", limits.body_bytes),
            ),
            // API servers try again by themselves, within their timeout.
            Self::Full => {
                let mut response = text(
                    StatusCode::TOO_MANY_REQUESTS,
                    format!(
                        "the GMSA webhook has as many bytes of requests in hand as it takes ({}); \
                         try again\n",
                        limits.bytes_in_hand
                    ),
                );
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Self::Late => text(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time\n"),
            Self::Broken(error) => {
                text(StatusCode::BAD_REQUEST, format!("failed to read the body: {error}\n"))
            }
        }
    }
}

/// The whole body. One of one frame is not copied.
async fn collect(mut body: Incoming, most: usize, share: &mut Share<'_>) -> Result<Bytes, Unread> {
    let mut first: Option<Bytes> = None;
    let mut rest: Option<BytesMut> = None;
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length > most {
            return Err(Unread::TooLarge);
        }
        share.cover(length)?;
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
    Ok(rest.map(BytesMut::freeze).or(first).unwrap_or_default())
}

/// What a request counts at least: its stream takes memory before its body comes.
const STREAM: usize = 4 * 1024;

/// By how much the count of a body grows at least, so that it seldom has to.
const STEP: usize = 64 * 1024;

/// What a request counts among the bytes in hand.
struct Share<'a> {
    all: &'a AtomicUsize,
    most: usize,
    /// The largest body.
    body: usize,
    own: usize,
}

impl<'a> Share<'a> {
    fn new(all: &'a AtomicUsize, limits: &Limits) -> Self {
        Self { all, most: limits.bytes_in_hand, body: limits.body_bytes, own: 0 }
    }

    /// Makes the share at least this large.
    fn cover(&mut self, bytes: usize) -> Result<(), Unread> {
        if bytes <= self.own {
            return Ok(());
        }
        let mut more = bytes - self.own;
        if self.own > 0 {
            more = more.max(STEP.min(self.body.saturating_sub(self.own)));
        }
        let before = self.all.fetch_add(more, Ordering::AcqRel);
        self.own += more;
        if before.saturating_add(more) > self.most { Err(Unread::Full) } else { Ok(()) }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own, Ordering::AcqRel);
    }
}

/// How long the caller says that it waits: API servers add `timeout=10s`, a duration as Go writes it.
fn timeout(query: &str) -> Option<Duration> {
    let mut rest = query.split('&').find_map(|pair| pair.strip_prefix("timeout="))?;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic())?);
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let unit = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        rest = next;
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero())
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

/// An answer to a request that was not read to its end: over HTTP/1 no other can follow it on its
/// connection.
fn unread(mut response: Reply) -> Reply {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn not_allowed(allow: &'static str) -> Reply {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_of_an_api_server_is_read() {
        for (query, millis) in [
            ("timeout=10s", Some(10_000)),
            ("a=b&timeout=1s", Some(1_000)),
            ("timeout=1m0.5s", Some(60_500)),
            ("timeout=250ms", Some(250)),
            ("timeout=0s", None),
            ("timeout=-1s", None),
            ("timeout=", None),
            ("timeout=10", None),
            ("timeout=1e300h", None),
            ("timeout=5d", None),
            ("timeouts=10s", None),
        ] {
            assert_eq!(timeout(query), millis.map(Duration::from_millis), "{query}");
        }
    }
}
