//! A reader of JSON (RFC 8259) for the way that nearly every AdmissionReview takes: what the
//! structs name is borrowed, all else is passed over.
//!
//! It accepts nothing that `serde_json` does not accept, but not all that it does: an escape in a
//! string that is read, an object written as an array or a nesting of more than 64 levels is
//! [`Unread`], and so is every fault. The caller then reads the same text with `serde_json`, which
//! also finds the words for what is wrong.

mod marks;
mod members;
mod skip;
mod tokens;

use gmsa_core::pod::Contents;
use gmsa_core::text::Text;

use marks::Marked;
use tokens::{Quoted, Tokens};

/// The text is to be read in another way.
#[derive(Debug)]
pub struct Unread;

/// What can be read from a text.
pub trait Read<'de>: Default {
    /// Reads the value that is next into this.
    fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread>;
}

/// Reads a text that is one JSON value.
pub fn read<'de, T: Read<'de>>(text: &'de str) -> Result<T, Unread> {
    let marked = Marked::new(text.as_bytes()).ok_or(Unread)?;
    let mut reader = Reader { text, tokens: Tokens::new(&marked) };
    let mut value = T::default();
    value.read(&mut reader)?;
    if reader.tokens.peek().is_some() { Err(Unread) } else { Ok(value) }
}

/// Stands in a text, and goes on from value to value.
pub struct Reader<'m, 'de> {
    text: &'de str,
    tokens: Tokens<'m>,
}

impl Reader<'_, '_> {
    /// Takes the operator that is next, if it is this one.
    #[inline]
    fn expect(&mut self, expected: u8) -> Result<(), Unread> {
        self.tokens.expect(expected).ok_or(Unread)
    }

    /// Takes the number or word that is next, and gives its first byte.
    #[inline]
    fn scalar(&mut self) -> Result<u8, Unread> {
        let (at, first) = self.tokens.take_at().ok_or(Unread)?;
        self.tokens.go_to(skip::scalar(self.text.as_bytes(), at, first).ok_or(Unread)?);
        Ok(first)
    }

    /// Takes the string that is next.
    #[inline]
    fn string(&mut self) -> Result<Quoted, Unread> {
        self.tokens.string().ok_or(Unread)
    }

    /// Passes over the value that is next.
    #[inline]
    fn skip(&mut self) -> Result<(), Unread> {
        skip::value(self.text.as_bytes(), &mut self.tokens).ok_or(Unread)
    }

    /// Takes the opening bracket that is next, and the closing one if nothing is between them.
    #[inline]
    fn is_empty(&mut self, opening: u8, closing: u8) -> Result<bool, Unread> {
        self.expect(opening)?;
        let empty = self.tokens.peek() == Some(closing);
        if empty {
            self.expect(closing)?;
        }
        Ok(empty)
    }

    /// Takes the comma that is next, or else the closing bracket.
    #[inline]
    fn goes_on(&mut self, closing: u8) -> Result<bool, Unread> {
        match self.tokens.take() {
            Some(b',') => Ok(true),
            Some(byte) if byte == closing => Ok(false),
            _ => Err(Unread),
        }
    }

    /// Reads an object: each member by the function, which is given its key.
    #[inline]
    fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &[u8]) -> Result<(), Unread>,
    ) -> Result<(), Unread> {
        if self.is_empty(b'{', b'}')? {
            return Ok(());
        }
        loop {
            let key = self.tokens.key().ok_or(Unread)?;
            member(self, key)?;
            if !self.goes_on(b'}')? {
                return Ok(());
            }
        }
    }
}

impl<'de, T: Read<'de>> Read<'de> for Option<T> {
    #[inline]
    fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread> {
        if reader.tokens.peek() == Some(b'n') {
            reader.scalar()?;
            return Ok(());
        }
        self.insert(T::default()).read(reader)
    }
}

impl<'de, T: Read<'de>> Read<'de> for Box<T> {
    #[inline]
    fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread> {
        T::read(self, reader)
    }
}

impl<'de, T: Read<'de>> Read<'de> for Vec<T> {
    fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread> {
        if reader.is_empty(b'[', b']')? {
            return Ok(());
        }
        loop {
            let mut element = T::default();
            element.read(reader)?;
            self.push(element);
            if !reader.goes_on(b']')? {
                return Ok(());
            }
        }
    }
}

impl<'de> Read<'de> for Text<'de> {
    #[inline]
    fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread> {
        let quoted = reader.string()?;
        let text = reader.text.get(quoted.start + 1..quoted.end);
        *self = Self::from(text.filter(|_| !quoted.escapes).ok_or(Unread)?);
        Ok(())
    }
}

impl<'de> Read<'de> for Contents<'de> {
    fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread> {
        let quoted = reader.string()?;
        let value = reader.text.get(quoted.start..=quoted.end).ok_or(Unread)?;
        *self = Self::from_json(value).ok_or(Unread)?;
        Ok(())
    }
}

impl<'de> Read<'de> for bool {
    fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread> {
        *self = match reader.scalar()? {
            b't' => true,
            b'f' => false,
            _ => return Err(Unread),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
