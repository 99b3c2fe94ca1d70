//! What answers the admission endpoints.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

use super::endpoint::Endpoint;

/// The answer to a body.
#[derive(Debug)]
pub enum Answer {
    /// An AdmissionReview: 200.
    Review(Bytes),
    /// A `Status` that says why the body is not an AdmissionReview: 400.
    Malformed(Bytes),
}

/// Answers the admission endpoints.
pub trait Handler: Send + Sync + 'static {
    /// Answers one AdmissionReview. `timeout` is how long the caller still waits, if it says so.
    fn review(
        &self,
        endpoint: Endpoint,
        body: Bytes,
        timeout: Option<Duration>,
    ) -> impl Future<Output = Answer> + Send;
    /// Refuses a request because too many are in flight.
    fn refuse(&self, endpoint: Endpoint, body: &Bytes) -> Answer;
    /// Records a request that was refused unread because too many bytes are buffered.
    fn turned_away(&self, endpoint: Endpoint);
    /// Whether the facts that decisions need are available, or why not.
    fn ready(&self) -> Result<(), String>;
}
