//! Texts of others in messages.

use std::fmt;

/// A text as a message shows it: control characters and others that no terminal shows are escaped, so
/// that none reaches a terminal or begins a line in a log, and so is `"`, which ends what is shown in quotes.
/// Backslashes, as in `CONTOSO\web`, and `'` are as they were written.
#[must_use]
pub fn printable(text: &str) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        for character in text.chars() {
            match character {
                '\\' | '\'' => fmt::Write::write_char(f, character)?,
                other => write!(f, "{}", other.escape_debug())?,
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_shown_is_escaped() {
        for (text, shown) in [
            (r"CONTOSO\web", r"CONTOSO\web"),
            ("r'x\"y", "r'x\\\"y"),
            ("é\u{1b}[1m\n", "é\\u{1b}[1m\\n"),
        ] {
            assert_eq!(printable(text).to_string(), shown);
        }
    }
}
