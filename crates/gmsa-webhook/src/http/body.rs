//! Reads the body of a request within its limits.

use std::sync::atomic::AtomicUsize;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, EXPECT, RETRY_AFTER};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};

use super::budget::{Full, Limits, STEP, STREAM, Share};
use super::response::{Reply, text};

/// Why there is no body.
pub(super) enum Unread {
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

impl From<Full> for Unread {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl Unread {
    pub(super) fn reply(self, limits: &Limits) -> Reply {
        match self {
            Self::TooLarge => text(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is over the limit of {} bytes\n", limits.body_bytes),
            ),
            // API servers retry by themselves, within their timeout.
            Self::Full => {
                let mut response = text(
                    StatusCode::TOO_MANY_REQUESTS,
                    format!(
                        "the GMSA webhook has reached its limit of buffered request bytes ({}); \
                        try again\n",
                        limits.buffered_bytes
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

/// Reads the body. `all` counts the bytes of all requests, and the share is the part of this one.
pub(super) async fn read<'a>(
    request: Request<Incoming>,
    all: &'a AtomicUsize,
    limits: &Limits,
) -> Result<(Bytes, Share<'a>), Unread> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
        .map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    let most = limits.body_bytes;
    if announced > most {
        // Who waits for the permission to send sends nothing after a refusal.
        if !request.headers().contains_key(EXPECT) {
            let rest = discard(request.into_body(), most);
            let _late = tokio::time::timeout(limits.body_time, rest).await;
        }
        return Err(Unread::TooLarge);
    }
    let mut share = Share::new(all, limits);
    // An announcement alone counts no more than this; the rest counts as it arrives.
    share.cover(announced.clamp(STREAM, STEP))?;
    let body = collect(request.into_body(), most, &mut share);
    match tokio::time::timeout(limits.body_time, body).await {
        Ok(body) => Ok((body?, share)),
        Err(_) => Err(Unread::Late),
    }
}

/// How many times the limit a body may have so that its sender is answered, and not cut off.
const SOMEWHAT: usize = 4;

/// Reads the rest of a body that is too large, and keeps nothing of it: a client that is still sending when
/// its stream or connection is closed sees an error of the transport instead of the answer.
async fn discard(mut body: Incoming, most: usize) {
    let mut left = most.saturating_mul(SOMEWHAT);
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

/// The whole body. A body of one frame is not copied.
async fn collect(mut body: Incoming, most: usize, share: &mut Share<'_>) -> Result<Bytes, Unread> {
    let mut first: Option<Bytes> = None;
    let mut rest: Option<BytesMut> = None;
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length > most {
            drop((first, rest));
            discard(body, most).await;
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
