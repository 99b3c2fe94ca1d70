//! `kubectl gmsa version`

use crate::failure::Failure;
use crate::output::printer;

/// Prints the version.
pub fn run() -> Result<u8, Failure> {
    printer::data(concat!("kubectl-gmsa ", env!("CARGO_PKG_VERSION"), "\n"))?;
    Ok(0)
}
