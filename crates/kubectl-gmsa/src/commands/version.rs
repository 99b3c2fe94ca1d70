//! `kubectl gmsa version`

use crate::failure::Failure;
use crate::output::printer;

/// The version, with the name of its cryptography if that is a FIPS module.
pub const VERSION: &str = if cfg!(feature = "fips") {
    concat!(env!("CARGO_PKG_VERSION"), " (FIPS)")
} else {
    env!("CARGO_PKG_VERSION")
};

/// Prints the version.
pub fn run() -> Result<u8, Failure> {
    printer::data(&format!("kubectl-gmsa {VERSION}\n"))?;
    Ok(0)
}
