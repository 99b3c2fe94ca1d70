//! Active Directory: LDAP, SIDs and GUIDs and security descriptors, accounts.

pub mod account;
mod bytes;
mod connect;
mod directory;
mod discover;
mod entry;
mod error;
mod facts;
pub mod guid;
pub mod kerberos;
pub mod managed_password;
mod options;
mod principals;
pub mod security_descriptor;
pub mod sid;
mod spn;
#[cfg_attr(not(feature = "gssapi"), path = "ticket/without.rs")]
mod ticket;
mod time;
mod tls;

pub use directory::Directory;
pub use error::Error;
pub use facts::Domain;
pub use guid::Guid;
pub use managed_password::ManagedPassword;
pub use options::{Credentials, Options, Transport};
pub use principals::{Principal, PrincipalKind};
pub use security_descriptor::SecurityDescriptor;
pub use sid::Sid;
