//! Active Directory: LDAP, SIDs and GUIDs and security descriptors, accounts.

mod bytes;
pub mod guid;
pub mod managed_password;
pub mod security_descriptor;
pub mod sid;

pub use guid::Guid;
pub use managed_password::ManagedPassword;
pub use security_descriptor::SecurityDescriptor;
pub use sid::Sid;
