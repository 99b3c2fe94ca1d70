//! How many requests and bytes may be in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The limits of requests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// How many bytes of bodies may be buffered, over all requests.
    pub buffered_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How many admission requests may be in flight.
    pub requests: usize,
    /// Whether the endpoints that only warn exist.
    pub early_warnings: bool,
    /// Whether the endpoint of the index exists.
    pub index: bool,
}

/// The least that a request counts: its stream uses memory before its body arrives.
pub(super) const STREAM: usize = 4 * 1024;

/// The least by which the count of a body grows, so that it seldom has to.
pub(super) const STEP: usize = 64 * 1024;

/// Too many bytes are buffered.
pub(super) struct Full;

/// What a request counts among the buffered bytes.
pub(super) struct Share<'a> {
    all: &'a AtomicUsize,
    most: usize,
    /// The largest body.
    body: usize,
    own: usize,
}

impl<'a> Share<'a> {
    pub(super) fn new(all: &'a AtomicUsize, limits: &Limits) -> Self {
        Self { all, most: limits.buffered_bytes, body: limits.body_bytes, own: 0 }
    }

    /// Makes the share at least this large.
    pub(super) fn cover(&mut self, bytes: usize) -> Result<(), Full> {
        if bytes <= self.own {
            return Ok(());
        }
        let mut more = bytes - self.own;
        if self.own > 0 {
            more = more.max(STEP.min(self.body.saturating_sub(self.own)));
        }
        let before = self.all.fetch_add(more, Ordering::AcqRel);
        self.own += more;
        if before.saturating_add(more) > self.most { Err(Full) } else { Ok(()) }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own, Ordering::AcqRel);
    }
}

/// How many bytes of answers larger than [`STREAM`] may wait for their callers to take them, over all
/// requests: a pod that names a large credential spec often gets an answer far larger than itself.
pub(super) const ANSWERS: usize = 16 << 20;

/// The bytes of an answer, counted until it is sent or its connection ends.
#[derive(Debug)]
pub(super) struct Held {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Held {
    /// Counts an answer, if it has room.
    pub(super) fn take(all: &Arc<AtomicUsize>, bytes: usize) -> Result<Option<Self>, Full> {
        if bytes <= STREAM {
            return Ok(None);
        }
        let before = all.fetch_add(bytes, Ordering::AcqRel);
        let held = Self { all: Arc::clone(all), bytes };
        if before.saturating_add(bytes) > ANSWERS { Err(Full) } else { Ok(Some(held)) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// A part of a limited amount, which is given back when it is dropped.
pub struct Slot<'a>(&'a AtomicUsize, usize);

impl<'a> Slot<'a> {
    /// Reserves this much, if the total stays within `most`.
    pub fn take(taken: &'a AtomicUsize, amount: usize, most: usize) -> Option<Self> {
        let before = taken.fetch_add(amount, Ordering::AcqRel);
        let slot = Self(taken, amount);
        (before.saturating_add(amount) <= most).then_some(slot)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::AcqRel);
    }
}
