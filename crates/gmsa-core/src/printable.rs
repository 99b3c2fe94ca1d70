//! Texts of others, and numbers, in messages.

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

/// How much of a long value a message shows, in characters.
const SHOWN: usize = 160;

/// A value in a message: of a long one, such as an expression, the beginning and the length.
#[must_use]
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => {
            let start = text.get(..end).unwrap_or_default();
            format!("{start}... ({})", counted(text.chars().count(), "character"))
        }
    }
}

/// A number with its noun, which is in the plural unless the number is 1.
#[must_use]
pub fn counted<N: fmt::Display + PartialEq + From<u8> + Copy>(number: N, noun: &str) -> String {
    let is_one = number == N::from(1);
    match noun.strip_suffix('y') {
        _ if is_one => format!("{number} {noun}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_value_the_beginning_is_shown() {
        let short = "é".repeat(SHOWN);
        assert_eq!(shortened(&short), short);
        assert_eq!(shortened(&format!("{short}x")), format!("{short}... (161 characters)"));
    }

    #[test]
    fn one_is_no_plural() {
        for (number, noun, shown) in [
            (0, "error", "0 errors"),
            (1, "error", "1 error"),
            (21, "right", "21 rights"),
            (1, "policy", "1 policy"),
            (2, "policy", "2 policies"),
            (2, "day", "2 days"),
        ] {
            assert_eq!(counted(number, noun), shown);
        }
    }

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
