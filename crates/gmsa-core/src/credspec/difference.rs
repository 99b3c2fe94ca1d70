//! Compares the contents in a pod with those of the resource.
//!
//! Parsers differ in which of two equal keys they take, so a text with a repeated key equals
//! nothing: what is compared here must be what Windows reads.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::canonical::write_number;
use super::path::Path;

/// What differs between a resource's canonical JSON and the contents in a pod, compared as JSON
/// objects; `None` if nothing does.
///
/// `expected_json` must come from [`canonical_json`](super::canonical_json). The text names the
/// first key that differs, in bytewise order of the keys, and never a value.
#[must_use]
pub fn difference(expected_json: &str, actual: &str) -> Option<String> {
    if expected_json == actual {
        return None;
    }
    let actual = match parse_strictly(actual) {
        Ok(actual) => actual,
        Err(text) => return Some(text),
    };
    match serde_json::from_str(expected_json) {
        Ok(expected @ Value::Object(_)) => first_difference(&expected, &actual, &Path::Root),
        _ => Some("the resource's contents are not a JSON object".to_owned()),
    }
}

fn parse_strictly(text: &str) -> Result<Value, String> {
    let mut repeated = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let strict = Strict { path: &Path::Root, repeated: &mut repeated };
    let parsed = strict.deserialize(&mut deserializer).and_then(|value| {
        deserializer.end()?;
        Ok(value)
    });
    match (parsed, repeated) {
        (Ok(value), _) if value.is_object() => Ok(value),
        (_, Some(path)) => Err(format!("{path} is given twice")),
        (Ok(_), None) => Err("it is not a JSON object".to_owned()),
        // The error's own words could quote the text.
        (Err(error), None) => Err(format!(
            "it is not a JSON object (line {}, column {})",
            error.line(),
            error.column()
        )),
    }
}

/// Reads any JSON value in which no object has a key twice.
struct Strict<'a> {
    path: &'a Path<'a>,
    /// The path of the key that stopped the reading.
    repeated: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated keys")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let path = Path::Item(self.path, items.len());
            let seed = Strict { path: &path, repeated: &mut *self.repeated };
            match sequence.next_element_seed(seed)? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let path = Path::Key(self.path, &key);
            if map.contains_key(&key) {
                *self.repeated = Some(path.to_string());
                return Err(A::Error::custom("repeated key"));
            }
            let seed = Strict { path: &path, repeated: &mut *self.repeated };
            let value = access.next_value_seed(seed)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

fn first_difference(expected: &Value, actual: &Value, path: &Path<'_>) -> Option<String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let keys: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            keys.into_iter()
                .find_map(|key| compare(expected.get(key), actual.get(key), &Path::Key(path, key)))
        }
        (Value::Array(expected), Value::Array(actual)) => (0..expected.len().max(actual.len()))
            .find_map(|index| {
                compare(expected.get(index), actual.get(index), &Path::Item(path, index))
            }),
        (Value::Number(expected), Value::Number(actual)) => {
            let text = |number: &Number| {
                let mut text = String::new();
                write_number(&mut text, number);
                text
            };
            (text(expected) != text(actual)).then(|| format!("{path} differs"))
        }
        _ => (expected != actual).then(|| format!("{path} differs")),
    }
}

fn compare(expected: Option<&Value>, actual: Option<&Value>, path: &Path<'_>) -> Option<String> {
    match (expected, actual) {
        (Some(expected), Some(actual)) => first_difference(expected, actual, path),
        (Some(_), None) => Some(format!("{path} is missing")),
        (None, Some(_)) => Some(format!("{path} is unexpected")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
