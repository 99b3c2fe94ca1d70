//! Requests to the API server.

pub mod access_review;
pub mod apply;
pub mod client;
pub mod events;
#[cfg(feature = "exec")]
pub mod exec;
mod exec_credential;
mod kubeconfig;
pub mod objects;
mod proxy;
mod token;
mod unreachable;
pub mod value;
pub(crate) mod watch;

use std::fmt::Display;
use std::time::Duration;

use gmsa_core::admission::Failure;
use gmsa_core::names::KIND;

use self::client::why;

/// How long one answer may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// How many objects come with one answer to a list: all that is in memory at once.
pub(crate) const PAGE: u32 = 250;

/// Why the cluster does not know credential specs, and what to do.
const NO_DEFINITION: &str =
    "this cluster does not know the resource; apply the CustomResourceDefinition";

/// Who may read credential specs.
const VIEWERS: &str = "; an administrator can let everyone with the role view read them: kubectl gmsa install \
    --viewer-role";

/// Why a request did not do what it should.
#[derive(Clone, Debug, thiserror::Error)]
#[error("failed to {action} {object}: {why}")]
pub struct Error {
    action: &'static str,
    object: String,
    why: String,
    cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The object lacks what a request needs, or the API server could not be reached.
    NotSent,
    /// The cluster has no such kind.
    UnknownKind,
    /// There was no answer in time.
    TimedOut,
    /// There is no object of this name.
    Absent,
    /// The HTTP status code of the answer.
    Refused(u16),
}

impl Error {
    pub(crate) fn new(action: &'static str, object: impl Display, error: &kube::Error) -> Self {
        let cause = match error {
            // An answer that names no object says that the whole resource is unknown.
            kube::Error::Api(status)
                if status.code == 404
                    && status.details.as_ref().is_some_and(|details| !details.name.is_empty()) =>
            {
                Cause::Absent
            }
            kube::Error::Api(status) => Cause::Refused(status.code),
            _ => Cause::NotSent,
        };
        Self { action, object: object.to_string(), why: why(error), cause }
    }

    pub(crate) fn not_sent(action: &'static str, object: impl Display, why: impl Display) -> Self {
        let (object, why) = (object.to_string(), why.to_string());
        Self { action, object, why, cause: Cause::NotSent }
    }

    pub(crate) fn timed_out(action: &'static str, object: impl Display) -> Self {
        let why = "the API server did not answer in time".to_owned();
        Self { action, object: object.to_string(), why, cause: Cause::TimedOut }
    }

    pub(crate) fn unknown_kind(kind: &str, api_version: &str, error: &kube::Error) -> Self {
        let why = if kind == KIND {
            NO_DEFINITION.to_owned()
        } else {
            format!(
                "{}; install what brings this kind first, or leave out the option that asks for it",
                why(error)
            )
        };
        let object = format!("{kind} of {api_version} in this cluster");
        Self { action: "find", object, why, cause: Cause::UnknownKind }
    }

    /// The HTTP status code of the API server's answer; none if there was no answer.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self.cause {
            Cause::Absent => Some(404),
            Cause::Refused(code) => Some(code),
            Cause::NotSent | Cause::UnknownKind | Cause::TimedOut => None,
        }
    }

    /// Whether a right is missing.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// Whether another writer changed the object in the meantime, or another manager owns the same fields.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// Whether the cluster has no such kind of object.
    #[must_use]
    pub fn is_unknown_kind(&self) -> bool {
        self.cause == Cause::UnknownKind
    }

    /// Whether there is no object of this name, while its kind is known.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.cause == Cause::Absent
    }

    /// Whether the same request may succeed in a moment: there was no answer, or the API server has
    /// trouble of its own.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self.cause {
            Cause::NotSent | Cause::TimedOut => true,
            Cause::Refused(code) => code == 429 || code >= 500,
            Cause::Absent | Cause::UnknownKind => false,
        }
    }

    /// Why it failed, without what was attempted.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The same with what to do.
    #[must_use]
    pub fn with_remedy(mut self, remedy: &str) -> Self {
        self.why.push_str("; ");
        self.why.push_str(remedy);
        self
    }

    /// The same for a user who may not read credential specs, with who can help.
    pub(crate) fn of_user(mut self) -> Self {
        if self.cause == Cause::Refused(403) {
            self.why.push_str(VIEWERS);
        }
        self
    }

    /// The same for credential specs, with a remedy for a cluster without their definition.
    pub(crate) fn of_credential_spec(mut self) -> Self {
        if self.cause == Cause::Refused(404) {
            NO_DEFINITION.clone_into(&mut self.why);
        }
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { timed_out: error.cause == Cause::TimedOut, message: error.to_string() }
    }
}

/// Waits for an answer, at most so long. The error names what is attempted, by a verb, on which object.
pub async fn answer<T>(
    action: &'static str,
    object: impl Display,
    asked: impl Future<Output = kube::Result<T>>,
) -> Result<T, Error> {
    match tokio::time::timeout(TIMEOUT, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Error::new(action, object, &error)),
        Err(_) => Err(Error::timed_out(action, object)),
    }
}
