//! Errors: what was attempted on which object, why it failed, and what to do.

mod result;

use std::time::Duration;

/// What to do when there is no answer to a question.
pub(crate) const READING: &str = "see whether the controller is busy or a firewall drops its packets, try \
     again, or wait longer with --timeout";
/// What to do when there is no answer to a change. Each is one operation, done in full or not at all.
pub(crate) const WRITING: &str = "whether it was done is not known, but it was done in full or not at all: \
     look with `kubectl gmsa account check` before you try again";

pub(crate) use result::{bind, operation};

/// Why something in the directory could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The location of the directory is unknown.
    #[error(
        "failed to choose a domain controller: name one with --dc, or its domain with --domain"
    )]
    NoServer,
    /// DNS knows no controller of the domain.
    #[error(
        "failed to find a domain controller of {domain}: DNS has no answer for {record}: {why}; \
         name a DNS server of the domain with --dns-server, or a controller with --dc"
    )]
    NoController {
        /// The domain.
        domain: String,
        /// The record that was asked for.
        record: String,
        /// Why.
        why: String,
    },
    /// None of several controllers could be reached.
    #[error("failed to reach a domain controller of {domain}: {}", .failures.join("; "))]
    NoneReached {
        /// The domain.
        domain: String,
        /// What happened to each.
        failures: Vec<String>,
    },
    /// A host has no address.
    #[error(
        "failed to find the address of {host}: {why}; use a DNS server that knows it (--dns-server), \
         or its address with --server-name"
    )]
    Resolve {
        /// The host.
        host: String,
        /// Why.
        why: String,
    },
    /// No connection.
    #[error("failed to connect to {server}: {why}; {remedy}")]
    Connect {
        /// Host and port.
        server: String,
        /// Why.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The connection could not be encrypted.
    #[error("failed to set up TLS with {server}: {why}; {remedy}")]
    Tls {
        /// Host and port.
        server: String,
        /// Why.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// The file of authorities cannot be used.
    #[error("failed to read certificates from {path}: {why}")]
    Authorities {
        /// The file, or the system's store.
        path: String,
        /// Why.
        why: String,
    },
    /// The user was not accepted.
    #[error("failed to log on to {server} as {user}: {why}; {remedy}")]
    Bind {
        /// Host and port.
        server: String,
        /// The user.
        user: String,
        /// Why.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// An operation was refused.
    #[error("failed to {what} on {server}: {why}; {remedy}")]
    Operation {
        /// Host and port.
        server: String,
        /// The operation and its object.
        what: String,
        /// Why.
        why: String,
        /// What to do.
        remedy: &'static str,
        /// The LDAP result code (RFC 4511, appendix A).
        code: u32,
    },
    /// The caller's Kerberos ticket is wanted, which this program was built without.
    #[error(
        "failed to log on with a Kerberos ticket: this program was built without it; use the one of the \
         release archive, build it with `cargo build --release --bin kubectl-gmsa --features gssapi` (on \
         Linux that takes libkrb5-dev and libclang-dev), or log on with --bind-user"
    )]
    WithoutKerberos,
    /// A Kerberos ticket could not be asked for.
    #[error("failed to ask for a Kerberos ticket for {account}$: {why}")]
    Kerberos {
        /// The account, without `$`.
        account: String,
        /// Why.
        why: String,
    },
    /// No answer in time.
    #[error(
        "failed to {what} on {server}: no answer within {}; {remedy}", seconds(.after)
    )]
    Timeout {
        /// Host and port.
        server: String,
        /// The operation and its object.
        what: String,
        /// How long was waited.
        after: Duration,
        /// What to do.
        remedy: &'static str,
    },
    /// The connection broke.
    #[error("failed to {what} on {server}: the connection broke: {why}; {remedy}")]
    Broken {
        /// Host and port.
        server: String,
        /// The operation and its object.
        what: String,
        /// Why.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The answer is not what it should be.
    #[error("failed to read {attribute} of {object} on {server}: {why}")]
    Answer {
        /// Host and port.
        server: String,
        /// The object.
        object: String,
        /// The attribute.
        attribute: &'static str,
        /// Why.
        why: String,
    },
    /// The object does not exist, or the user may not see it.
    #[error("failed to find {what} in {domain}: there is none that {user} may see")]
    NotFound {
        /// What.
        what: String,
        /// The domain.
        domain: String,
        /// Who looked.
        user: String,
    },
    /// A name that means several objects.
    #[error("failed to choose between {}: all are called {name}; give a distinguished name", .found.join(" and "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The objects.
        found: Vec<String>,
    },
    /// The request would not work, or does not fit the current state.
    #[error("failed to {what}: {}", .problems.join("; "))]
    Refused {
        /// The operation and its object.
        what: String,
        /// Everything that is wrong with it.
        problems: Vec<String>,
    },
}

impl Error {
    /// Whether the caller gave something that cannot be used.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(
            self,
            Self::NoServer
                | Self::Authorities { .. }
                | Self::Ambiguous { .. }
                | Self::WithoutKerberos
        )
    }

    /// Whether another controller may well answer: this one cannot be reached, breaks off, is busy or
    /// stays silent.
    pub(crate) fn is_of_one_controller(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Resolve { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Broken { .. } => true,
            Self::Operation { code, .. } => matches!(code, 51 | 52),
            _ => false,
        }
    }

    /// Whether the directory works, but the object is missing or the request would not work.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Refused { .. })
    }
}

fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f32())
}

#[cfg(test)]
mod tests;
