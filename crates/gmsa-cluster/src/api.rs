//! Requests to the API server.

pub mod access_review;
pub mod apply;
pub mod client;
pub mod credential_specs;
pub mod events;
#[cfg(feature = "exec")]
pub mod exec;
pub mod objects;
mod page;
pub mod value;
