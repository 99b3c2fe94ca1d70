//! How the demonstration looks: numbered steps, indented text, bold only on a terminal.

use std::cell::Cell;
use std::io::{self, IsTerminal as _};

use anyhow::Result;

use crate::output;

const WIDTH: usize = 92;

/// The printed page.
pub struct Page {
    bold: bool,
    step: Cell<usize>,
}

impl Page {
    /// Plain where standard output is not a terminal, or `NO_COLOR` or a dumb terminal ask for it.
    pub fn new() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let plain = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
        Self { bold: io::stdout().is_terminal() && !plain, step: Cell::new(1) }
    }

    /// Begins the next step.
    pub fn heading(&self, text: &str) -> Result<()> {
        let (on, off) = if self.bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let step = self.step.replace(self.step.get() + 1);
        output::line(format_args!("\n{on}{step}. {text}{off}"))
    }
}

/// A line of the step.
pub fn text(text: &str) -> Result<()> {
    output::line(format_args!("   {text}"))
}

/// Long text, broken into lines.
pub fn block(text: &str) -> Result<()> {
    wrap(text, WIDTH).iter().try_for_each(|line| output::line(format_args!("     {line}")))
}

/// Breaks text after spaces and commas, and pieces that are longer than a line anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in text.split_inclusive([' ', ',']) {
        let length = piece.trim_end().chars().count();
        if !line.is_empty() && line.chars().count() + length > width {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        for character in piece.chars() {
            if line.chars().count() == width {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            line.push(character);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_are_no_longer_than_asked() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a,b,c d", 4), ["a,b,", "c d"]);
        assert_eq!(wrap("ab abcdefghij", 4), ["ab", "abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
