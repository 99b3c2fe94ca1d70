//! Answers: a status, a type, and a body in small frames.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};

use super::budget::Held;

/// The `h2` crate writes a data frame of 1 KiB or more with a TLS record and a system call of its
/// own; it sends shorter frames of many streams together, if the stream offers no vectored writes
/// (`serve/stream.rs`). Measured: the difference is a quarter of the cost of an answer.
const FRAME: usize = 1023;

/// A complete body, sent in small frames.
#[derive(Debug, Default)]
pub struct Frames {
    rest: Bytes,
    _held: Option<Held>,
}

impl From<Bytes> for Frames {
    fn from(body: Bytes) -> Self {
        Self { rest: body, _held: None }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(FRAME);
        let frame = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// An answer.
pub(super) type Reply = Response<Frames>;

pub(super) fn json(status: StatusCode, body: Bytes) -> Reply {
    with_type(status, HeaderValue::from_static("application/json"), body)
}

pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let body: Bytes = body.into();
    with_type(status, HeaderValue::from_static("text/plain; charset=utf-8"), body)
}

/// JSON that counts among the answers until it is sent.
pub(super) fn held_json(status: StatusCode, body: Bytes, held: Option<Held>) -> Reply {
    let frames = Frames { rest: body, _held: held };
    with_type(status, HeaderValue::from_static("application/json"), frames)
}

fn with_type(status: StatusCode, content_type: HeaderValue, body: impl Into<Frames>) -> Reply {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

/// An answer to a request whose body was not read: over HTTP/1 its connection has to close.
pub(super) fn unread(mut response: Reply) -> Reply {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

pub(super) fn not_allowed(allow: &'static str) -> Reply {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}
