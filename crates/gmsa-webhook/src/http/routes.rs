//! The routes: admission endpoints and probes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use k8s_openapi::jiff::SignedDuration;
use tracing::Instrument as _;

use super::body::{Unread, read};
use super::budget::{Full, Held, Limits, Slot};
use super::endpoint::{Answer, Endpoint, Handler};
use super::response::{Reply, held_json, json, not_allowed, text, unread};

/// The routes over a handler.
pub struct Routes<H> {
    handler: H,
    limits: Limits,
    in_flight: Arc<AtomicUsize>,
    buffered_bytes: AtomicUsize,
    answers: Arc<AtomicUsize>,
    draining: AtomicBool,
    certificate: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// Who sent a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Whether it may use the admission endpoints: it presented a certificate of the client CA, or
    /// none is required.
    pub trusted: bool,
}

impl<H: Handler> Routes<H> {
    /// Makes the routes. `certificate` returns whether one is loaded, or why not.
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
            buffered_bytes: AtomicUsize::new(0),
            answers: Arc::default(),
            draining: AtomicBool::new(false),
            certificate,
        }
    }

    /// Turns readiness off, so that the Service sends no more connections.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the server is about to stop.
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether the server is ready, or why not.
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
        let Some(endpoint) = Endpoint::at(path, &self.limits) else {
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
        // A slot is taken only once the whole body is read: a slow caller blocks no others.
        let (body, share) = match read(request, &self.buffered_bytes, &self.limits).await {
            Ok(read) => read,
            Err(Unread::Full) => {
                self.handler.turned_away(endpoint);
                return unread(Unread::Full.reply(&self.limits));
            }
            Err(why) => return unread(why.reply(&self.limits)),
        };
        tracing::Span::current().record("http.request.body.size", body.len());
        // The caller has been waiting since it began to send.
        let timeout = timeout.map(|(arrived, wait)| wait.saturating_sub(arrived.elapsed()));
        let answer = match Slot::take(&self.in_flight, 1, self.limits.requests) {
            Some(_slot) => self.handler.review(endpoint, body, timeout).await,
            None => self.handler.refuse(endpoint, &body),
        };
        drop(share);
        self.reply(answer).unwrap_or_else(|Full| {
            self.handler.turned_away(endpoint);
            Unread::Full.reply(&self.limits)
        })
    }

    fn reply(&self, answer: Answer) -> Result<Reply, Full> {
        let (status, body) = match answer {
            Answer::Review(body) => (StatusCode::OK, body),
            Answer::Malformed(body) => (StatusCode::BAD_REQUEST, body),
        };
        let held = Held::take(&self.answers, body.len())?;
        Ok(held_json(status, body, held))
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
}

/// How long the caller waits, by its own word: API servers add `timeout=10s`, a Go duration.
fn timeout(query: &str) -> Option<Duration> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("timeout="))?;
    let timeout = Duration::try_from(value.parse::<SignedDuration>().ok()?).ok()?;
    (!timeout.is_zero()).then_some(timeout)
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let Some(value) = content_type.and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
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
