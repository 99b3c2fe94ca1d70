//! A reader of JSON (RFC 8259) for the way that nearly every AdmissionReview takes: what the
//! structs name is borrowed, all else is skipped, in one pass without an allocation of its own.
//!
//! It accepts nothing that `serde_json` does not accept, but not all that it does: an escape in a
//! string that is read, an object written as an array or a nesting of more than 64 levels is
//! [`Unread`], and so is every fault. The caller then reads the same text with `serde_json`, which
//! also finds the words for what is wrong.

mod skip;
mod special;

use std::fmt;

use gmsa_core::pod::CONTENTS;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use special::Special;

/// The text is to be read in another way.
#[derive(Debug)]
pub struct Unread;

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not for the fast reader")
    }
}

impl std::error::Error for Unread {}

impl de::Error for Unread {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

/// Reads a text that is one JSON value.
pub fn read<'de, T: de::Deserialize<'de>>(text: &'de str) -> Result<T, Unread> {
    let mut reader = Reader { text, at: 0, special: Special::new() };
    let value = T::deserialize(&mut reader)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(Unread),
    }
}

struct Reader<'de> {
    text: &'de str,
    at: usize,
    special: Special,
}

impl<'de> Reader<'de> {
    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        self.at = skip::white_space(self.text.as_bytes(), self.at);
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn expect(&mut self, expected: u8) -> Result<(), Unread> {
        if self.peek() != Some(expected) {
            return Err(Unread);
        }
        self.at += 1;
        Ok(())
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Unread> {
        self.at = skip::word(self.text.as_bytes(), self.at, word).ok_or(Unread)?;
        Ok(())
    }

    /// The string whose opening quote is next, if no escape is in it.
    #[inline]
    fn string(&mut self) -> Result<&'de str, Unread> {
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        let end = self.special.next(bytes, self.at);
        if bytes.get(end) != Some(&b'"') {
            return Err(Unread);
        }
        let string = self.text.get(self.at..end).ok_or(Unread)?;
        self.at = end + 1;
        Ok(string)
    }

    /// Passes over a value of any kind.
    fn skip(&mut self) -> Result<(), Unread> {
        let bytes = self.text.as_bytes();
        self.at = skip::value(bytes, self.at, &mut self.special).ok_or(Unread)?;
        Ok(())
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unread;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.peek() {
            Some(b't') => {
                self.expect_word("true")?;
                visitor.visit_bool(true)
            }
            Some(b'f') => {
                self.expect_word("false")?;
                visitor.visit_bool(false)
            }
            _ => Err(Unread),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        visitor.visit_borrowed_str(self.string()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        if self.peek() == Some(b'n') {
            self.expect_word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unread> {
        if name != CONTENTS {
            return Err(Unread);
        }
        self.expect(b'"')?;
        let start = self.at - 1;
        let bytes = self.text.as_bytes();
        self.at = skip::string(bytes, self.at, &mut self.special).ok_or(Unread)?;
        visitor.visit_borrowed_str(self.text.get(start..self.at).ok_or(Unread)?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        self.expect(b'[')?;
        visitor.visit_seq(Members { reader: self, first: true })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        self.expect(b'{')?;
        visitor.visit_map(Members { reader: self, first: true })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unread> {
        self.deserialize_map(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char string bytes byte_buf unit unit_struct
        tuple tuple_struct enum identifier
    }
}

/// What stands in an object or an array. Ends with the closing bracket.
struct Members<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl Members<'_, '_> {
    /// Whether one more follows, before which the reader then stands.
    #[inline]
    fn advance(&mut self, end: u8) -> Result<bool, Unread> {
        let byte = self.reader.peek().ok_or(Unread)?;
        if byte == end {
            self.reader.at += 1;
            return Ok(false);
        }
        if self.first {
            self.first = false;
        } else {
            self.reader.expect(b',')?;
        }
        Ok(true)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Unread;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unread> {
        if !self.advance(b'}')? {
            return Ok(None);
        }
        let key = self.reader.string()?;
        self.reader.expect(b':')?;
        let key: BorrowedStrDeserializer<'_, Unread> = BorrowedStrDeserializer::new(key);
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Unread> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = Unread;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unread> {
        if !self.advance(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

#[cfg(test)]
mod tests;
