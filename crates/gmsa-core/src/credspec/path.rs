//! A location in a JSON value.

use std::fmt;

use crate::printable::printable;

/// How many characters of an odd key are shown.
const SHOWN_KEY: usize = 40;
/// How many characters of a text are shown.
const SHOWN_TEXT: usize = 64;
/// How many steps of a path are shown.
const SHOWN_STEPS: usize = 16;

/// A path that borrows its keys, made while a value is walked.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// The value itself.
    Root,
    /// The value of a key.
    Key(&'a Path<'a>, &'a str),
    /// An item of an array.
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn depth(&self) -> usize {
        let mut depth = 0;
        let mut path = self;
        while let Self::Key(parent, _) | Self::Item(parent, _) = path {
            depth += 1;
            path = parent;
        }
        depth
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let (Self::Key(parent, _) | Self::Item(parent, _)) = self else {
            return Ok(());
        };
        parent.write(f, depth - 1)?;
        if depth > SHOWN_STEPS {
            // What is deeper than any credential spec is shown by one mark.
            return if depth == SHOWN_STEPS + 1 { f.write_str("…") } else { Ok(()) };
        }
        match self {
            Self::Key(_, key) => {
                if depth > 1 {
                    f.write_str(".")?;
                }
                write!(f, "{}", shown_key(key))
            }
            Self::Item(_, index) => write!(f, "[{index}]"),
            Self::Root => Ok(()),
        }
    }
}

/// Writes it as `DomainJoinConfig.Sid` or `Accounts[0].Name`, with odd keys in quotes.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.depth())
    }
}

/// A key as it is shown: as it is if plain, else in quotes, escaped and cut.
pub(super) fn shown_key(key: &str) -> impl fmt::Display + '_ {
    let plain = !key.is_empty()
        && key.len() <= SHOWN_KEY
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    fmt::from_fn(move |f| if plain { f.write_str(key) } else { write_quoted(f, key, SHOWN_KEY) })
}

/// A text in quotes, escaped and cut.
pub(super) fn quoted(text: &str) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| write_quoted(f, text, SHOWN_TEXT))
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str, limit: usize) -> fmt::Result {
    match text.char_indices().nth(limit) {
        None => write!(f, "\"{}\"", printable(text)),
        Some((end, _)) => {
            write!(f, "\"{}…\"", printable(text.get(..end).unwrap_or_default()))
        }
    }
}
