//! Where the serving certificate comes from.

mod ephemeral;
mod files;

pub use ephemeral::{Ephemeral, Error as EphemeralError};
pub(crate) use files::read;
pub use files::{Files, LoadError};
