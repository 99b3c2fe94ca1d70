//! The admission endpoints, and what answers them.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

use super::budget::Limits;

/// An admission endpoint.
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
    /// `/index-credspec`.
    IndexCredspec,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 5] =
        [Self::Mutate, Self::Validate, Self::Warn, Self::ValidateCredspec, Self::IndexCredspec];

    /// The path without the slash.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Validate => "validate",
            Self::Warn => "warn",
            Self::ValidateCredspec => "validate-credspec",
            Self::IndexCredspec => "index-credspec",
        }
    }

    /// The endpoint at a path. Those that only warn exist only with the option for early warnings, and
    /// that of the index only where it is kept.
    pub(super) fn at(path: &str, limits: &Limits) -> Option<Self> {
        match path {
            "/mutate" => Some(Self::Mutate),
            "/validate" => Some(Self::Validate),
            "/warn" if limits.early_warnings => Some(Self::Warn),
            "/validate-credspec" if limits.early_warnings => Some(Self::ValidateCredspec),
            "/index-credspec" if limits.index => Some(Self::IndexCredspec),
            _ => None,
        }
    }
}

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
