//! A reader of JSON (RFC 8259) for the way that nearly every AdmissionReview takes: what the
//! structs name is borrowed, all else is skipped, in one pass without an allocation of its own.
//!
//! It accepts nothing that `serde_json` does not accept, but not all that it does: an escape in a
//! string that is read, an object written as an array or a nesting of more than 128 levels is
//! [`Unread`], and so is every fault. The caller then reads the same text with `serde_json`, which
//! also finds the words for what is wrong.

use std::fmt;

use gmsa_core::pod::CONTENTS;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

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
    let mut reader = Reader { text, at: 0 };
    let value = T::deserialize(&mut reader)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(Unread),
    }
}

struct Reader<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Reader<'de> {
    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
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
        let rest = self.text.as_bytes().get(self.at..).ok_or(Unread)?;
        if !rest.starts_with(word.as_bytes()) {
            return Err(Unread);
        }
        self.at += word.len();
        Ok(())
    }

    /// Passes over what stands before the next `"`, `\` or control character.
    #[inline]
    fn pass_plain(&mut self) -> Result<u8, Unread> {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        const HIGH: u64 = ONES << 7;
        let bytes = self.text.as_bytes();
        while let Some(chunk) = bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*chunk);
            // The high bit of each byte that is less than 0x20, a quote or a backslash; bits above
            // the lowest one that is set may be wrong, and are not looked at.
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let quote = word ^ (ONES * u64::from(b'"'));
            let backslash = word ^ (ONES * u64::from(b'\\'));
            let found = (control
                | quote.wrapping_sub(ONES) & !quote
                | backslash.wrapping_sub(ONES) & !backslash)
                & HIGH;
            if found != 0 {
                self.at += found.trailing_zeros() as usize / 8;
                return bytes.get(self.at).copied().ok_or(Unread);
            }
            self.at += 8;
        }
        loop {
            let byte = *bytes.get(self.at).ok_or(Unread)?;
            if byte < 0x20 || byte == b'"' || byte == b'\\' {
                return Ok(byte);
            }
            self.at += 1;
        }
    }

    /// The string whose opening quote is next, if no escape is in it.
    #[inline]
    fn string(&mut self) -> Result<&'de str, Unread> {
        self.expect(b'"')?;
        let start = self.at;
        if self.pass_plain()? != b'"' {
            return Err(Unread);
        }
        let string = self.text.get(start..self.at).ok_or(Unread)?;
        self.at += 1;
        Ok(string)
    }

    /// Passes over a string after its opening quote.
    #[inline]
    fn skip_string(&mut self) -> Result<(), Unread> {
        loop {
            let byte = self.pass_plain()?;
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.skip_escape()?,
                _ => return Err(Unread),
            }
        }
    }

    fn skip_escape(&mut self) -> Result<(), Unread> {
        let bytes = self.text.as_bytes();
        let escape = *bytes.get(self.at).ok_or(Unread)?;
        self.at += 1;
        match escape {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                let digits = bytes.get(self.at..self.at + 4).ok_or(Unread)?;
                self.at += 4;
                if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(Unread) }
            }
            _ => Err(Unread),
        }
    }

    fn skip_digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }

    /// The next byte, white space or not.
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_number(&mut self) -> Result<(), Unread> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.byte() == Some(b'0');
        let digits = self.skip_digits();
        if digits == 0 || (leading_zero && digits > 1) {
            return Err(Unread);
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            if self.skip_digits() == 0 {
                return Err(Unread);
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.skip_digits() == 0 {
                return Err(Unread);
            }
        }
        Ok(())
    }

    /// Passes over a value of any kind.
    fn skip(&mut self) -> Result<(), Unread> {
        // The open objects (1) and arrays (0) around this place, the innermost lowest.
        let mut open: u128 = 0;
        let mut depth = 0_u8;
        loop {
            // A value starts here.
            let start = self.peek().ok_or(Unread)?;
            match start {
                b'"' => {
                    self.at += 1;
                    self.skip_string()?;
                }
                b'{' | b'[' => {
                    self.at += 1;
                    let object = start == b'{';
                    if self.peek() == Some(if object { b'}' } else { b']' }) {
                        self.at += 1;
                    } else {
                        if depth == 128 {
                            return Err(Unread);
                        }
                        depth += 1;
                        open = open << 1 | u128::from(object);
                        if object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                b't' => self.expect_word("true")?,
                b'f' => self.expect_word("false")?,
                b'n' => self.expect_word("null")?,
                _ => self.skip_number()?,
            }
            // A value has ended, and maybe what it stands in.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let object = open & 1 == 1;
                match self.peek().ok_or(Unread)? {
                    b',' => {
                        self.at += 1;
                        if object {
                            self.skip_key()?;
                        }
                        break;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return Err(Unread),
                }
                self.at += 1;
                open >>= 1;
                depth -= 1;
            }
        }
    }

    /// Passes over a key and its colon.
    #[inline]
    fn skip_key(&mut self) -> Result<(), Unread> {
        self.expect(b'"')?;
        self.skip_string()?;
        self.expect(b':')
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
        self.skip_string()?;
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
