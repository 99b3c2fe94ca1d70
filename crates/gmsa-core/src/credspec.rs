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
mod recipe;

pub use canonical::canonical_json;
pub use difference::difference;
pub use lint::{lint, lint_contents};
pub use model::{
    ActiveDirectoryConfig, CredentialSpec, DomainJoinConfig, GroupManagedServiceAccount,
    HostAccountConfig,
};
pub use prepared::Prepared;
pub use recipe::{DomainFacts, Recipe, domain_differences};

#[cfg(test)]
mod test_values;
#[cfg(test)]
pub use test_values::any_object;
