//! Credential specs: the model, the canonical JSON, comparison, names and findings.

mod canonical;
mod difference;
pub mod identifier;
mod lint;
mod model;
pub mod name;
mod path;
pub mod plugin;
mod prepared;

pub use canonical::canonical_json;
pub use difference::difference;
pub use lint::{lint, lint_contents};
pub use model::{
    ActiveDirectoryConfig, CredentialSpec, DomainJoinConfig, GroupManagedServiceAccount,
    HostAccountConfig,
};
pub use prepared::Prepared;

#[cfg(test)]
mod test_values;
