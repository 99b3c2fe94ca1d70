//! Contents of a credential spec in a pod: JSON in a JSON string.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

/// A JSON string (RFC 8259 section 7) with its quotes and escapes, as it was read.
///
/// Contents that an API server sends are those that we wrote, so most are compared without
/// unescaping. Can be deserialized from JSON text only, from which it borrows.
#[derive(Clone, Copy)]
pub struct Contents<'a>(&'a str);

impl<'a> Contents<'a> {
    /// A JSON value, if it is a string. It has to be valid JSON without white space around it.
    #[must_use]
    pub fn from_json(value: &'a str) -> Option<Self> {
        value.starts_with('"').then_some(Self(value))
    }

    /// The string with its quotes and escapes.
    #[must_use]
    pub fn escaped(self) -> &'a str {
        self.0
    }

    /// The string itself; none if an escape in it is not a character (half of a surrogate
    /// pair).
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        let within = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if within.contains('\\') {
            return serde_json::from_str(self.0).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(within))
    }

    /// Whether the string has more bytes than this.
    #[must_use]
    pub fn is_longer_than(self, most: usize) -> bool {
        // An escape is never shorter than its character.
        self.0.len().saturating_sub(2) > most && self.text().is_none_or(|text| text.len() > most)
    }
}

impl Default for Contents<'_> {
    fn default() -> Self {
        Self("\"\"")
    }
}

impl PartialEq for Contents<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.text().is_some_and(|text| other.text() == Some(text))
    }
}

impl Eq for Contents<'_> {}

/// Shows nothing of the contents, which belong in no log.
impl fmt::Debug for Contents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Contents<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The error of the library would repeat the contents.
        let raw = <&RawValue>::deserialize(deserializer)
            .map_err(|_| D::Error::custom("gmsaCredentialSpec can be read from JSON text only"))?;
        Self::from_json(raw.get()).ok_or_else(|| {
            D::Error::custom("invalid type for gmsaCredentialSpec, expected a string")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Contents;

    fn read(json: &str) -> Contents<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_string_is_unescaped_when_it_is_asked_for() {
        for (json, text) in [
            (r#""""#, ""),
            (r#""{}""#, "{}"),
            (r#""{\"a\":\"\\u003c\"}""#, r#"{"a":"\u003c"}"#),
            (r#""\u00e9\ud83d\ude00""#, "é😀"),
        ] {
            assert_eq!(read(json).text().unwrap(), text);
            assert_eq!(read(json).escaped(), json);
        }
        assert_eq!(read(r#""\ud83d""#).text(), None, "half of a pair is not a character");
        let value = serde_json::Value::from("secret");
        let error = <Contents<'_> as serde::Deserialize>::deserialize(&value).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        for json in ["1", "{}", "[\"a\"]", "true", "\"a\nb\"", "\"a"] {
            assert!(serde_json::from_str::<Contents<'_>>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn two_spellings_of_one_string_are_equal_and_what_is_no_text_equals_only_itself() {
        assert_eq!(read(r#""\u0061""#), read(r#""a""#));
        assert_ne!(read(r#""a""#), read(r#""b""#));
        assert_ne!(read(r#""\ud83d""#), read(r#""\ud83e""#));
    }

    #[test]
    fn the_length_is_that_of_the_string() {
        assert!(!read(r#""\u0061\u0061""#).is_longer_than(2));
        assert!(read(r#""\u0061\u0061""#).is_longer_than(1));
        assert!(read(r#""aaa""#).is_longer_than(2));
        assert!(read(r#""\ud83d\ud83d""#).is_longer_than(2), "nobody can tell");
    }
}
