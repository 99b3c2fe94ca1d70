//! `kubectl gmsa completion`

use super::Failure;
use crate::cli::{self, Completion};
use crate::printer;

/// Prints the completion script.
pub fn run(args: &Completion) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "kubectl-gmsa", &mut script);
    printer::data(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
