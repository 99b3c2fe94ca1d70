//! Asking before something is done that cannot be undone.

use std::io::{IsTerminal as _, stdin};

use super::Failure;
use crate::printer;

/// Goes on if the answer is yes. `nothing` says what did not happen otherwise.
pub(super) fn confirm(question: &str, nothing: &str) -> Result<(), Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::Input(format!(
            "{nothing}: there is no terminal to ask at; give --yes"
        )));
    }
    printer::note(&format!("{question} [y/N]"));
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(Failure::Output)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::Input(nothing.to_owned()))
}
