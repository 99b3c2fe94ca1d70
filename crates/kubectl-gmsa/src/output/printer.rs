//! The only place that prints: data on standard output, the rest on standard error.

use std::io::{self, IsTerminal as _, Write as _};

use anstyle_query::windows::enable_ansi_colors;

use crate::failure::Failure;

/// Whether colours may be used on standard output: it is a terminal, and `NO_COLOR`
/// (no-color.org) is not set.
pub fn colour() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // A console of Windows takes escape sequences only once that is switched on.
    wanted && io::stdout().is_terminal() && enable_ansi_colors().unwrap_or(true)
}

/// Whether standard output is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes data. A closed pipe ends the program without an error.
pub fn data(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Output(error),
    })
}

/// Prints a note on standard error.
pub fn note(text: &str) {
    // There is nowhere to report a failure.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a warning on standard error.
pub fn warning(text: &str) {
    note(&format!("warning: {text}"));
}

/// Tells what went wrong.
pub fn error(text: &str) {
    note(&format!("error: {text}"));
}
