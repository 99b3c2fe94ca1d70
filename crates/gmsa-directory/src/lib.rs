//! Active Directory: LDAP, SIDs and GUIDs and security descriptors, accounts.

pub mod account;
mod bytes;
mod connect;
mod directory;
mod discover;
mod dn;
mod entry;
mod error;
pub mod kerberos;
mod logon;
pub mod managed_password;
mod options;
pub mod security_descriptor;
pub mod sid;
mod time;
mod tls;

pub use directory::Directory;
pub use directory::domain::Domain;
pub use directory::principals::{Principal, PrincipalKind};
pub use error::Error;
pub use managed_password::ManagedPassword;
pub use options::{Credentials, Options, Transport};
pub use security_descriptor::SecurityDescriptor;
pub use sid::Sid;
