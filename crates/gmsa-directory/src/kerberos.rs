//! Kerberos: the keys of an account, the file that holds them, and whether they get a ticket.

mod keys;
pub mod keytab;
#[cfg(unix)]
mod kinit;

use std::net::IpAddr;
use std::time::Duration;

pub use keys::{Encryption, KeyError, computer_salt, string_to_key};
pub use keytab::Keytab;

use crate::error::Error;
use crate::managed_password::ManagedPassword;

/// What a ticket is asked for with.
#[derive(Clone, Copy, Debug)]
pub struct TicketRequest<'a> {
    /// The account, without `$`.
    pub account: &'a str,
    /// The DNS name of its domain.
    pub domain: &'a str,
    /// The domain controller; Kerberos is on its port 88.
    pub controller: IpAddr,
    /// The password; the one before is tried if the controllers do not take the current one yet.
    pub password: &'a ManagedPassword,
    /// The bits of the encryptions that the account supports, if it says (MS-KILE, section 2.2.7).
    pub encryption_types: Option<i64>,
    /// How long to wait for an answer.
    pub timeout: Duration,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ticket {
    /// The controller gave a ticket, which is forgotten.
    Granted {
        /// Whether it was for the previous password: in the last five minutes of an interval the current
        /// one is the next already (MS-ADTS, section 2.2.19).
        previous: bool,
    },
    /// It gave none.
    Refused {
        /// Why, in the words of `kinit`.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// It was not asked, or did not answer.
    NotChecked {
        /// Why.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
}

/// Asks for a ticket by the system's `kinit`, with a keytab, a configuration and a cache of its own.
///
/// The keytab lies in a directory that nobody else can open, and is removed in every case but a
/// kill that cannot be caught. The key is in no argument, variable or message.
pub async fn ticket(request: &TicketRequest<'_>) -> Result<Ticket, Error> {
    #[cfg(unix)]
    return kinit::ticket(request).await;
    #[cfg(not(unix))]
    {
        let _ = request;
        Ok(Ticket::NotChecked {
            why: "kinit is run on Unix alone".to_owned(),
            remedy: "run the check on Linux or macOS, or Test-ADServiceAccount on the node",
        })
    }
}
