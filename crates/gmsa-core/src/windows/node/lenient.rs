//! JSON as Windows PowerShell 5.1 writes it.

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Turns what only Windows PowerShell 5.1 writes into plain JSON, at every depth: `{}` for nothing,
/// `{"value": …, "Count": …}` for a list, `{"value": …, "PSPath": …}` for a text with properties, and
/// `/Date(…)/` for a time.
pub(super) fn plain(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(plain),
        Value::Object(members) => {
            // A section has a value too, and next to it an error.
            let wraps = members.contains_key("value") && !members.contains_key("error");
            if wraps {
                let mut inner = members.remove("value").unwrap_or_default();
                plain(&mut inner);
                *value = inner;
            } else if members.is_empty() {
                *value = Value::Null;
            } else {
                members.values_mut().for_each(plain);
            }
        }
        Value::String(text) => {
            if let Some(time) = date(text) {
                *text = time;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `/Date(1764064801000)/` in the form of the document's own times: milliseconds since 1970, UTC.
fn date(text: &str) -> Option<String> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    // A zone behind it changes nothing: the number is UTC already.
    let digits = inner
        .get(1..)
        .and_then(|rest| rest.find(['+', '-']))
        .map_or(inner, |at| inner.get(..=at).unwrap_or(inner));
    let milliseconds: i64 = digits.parse().ok()?;
    Timestamp::from_second(milliseconds.div_euclid(1000)).ok().map(|time| time.to_string())
}

/// A list: an array, null for an empty one, or the element alone for one of one element.
pub(super) fn many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let elements = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::Array(elements) => elements,
        one => vec![one],
    };
    // An element that outputs nothing is none.
    let elements = elements.into_iter().filter(|one| !one.is_null());
    elements.map(|one| serde_json::from_value(one).map_err(D::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_5_1_writes_becomes_plain() {
        for (written, expected) in [
            (json!({}), json!(null)),
            (json!({"value": [], "Count": 0}), json!([])),
            (json!({"value": [{"a": {}}], "Count": 1}), json!([{"a": null}])),
            (json!({"value": "x", "PSPath": "y", "PSDrive": {}}), json!("x")),
            (
                json!({"value": "/Date(1764064801000)/", "DisplayHint": 2, "DateTime": "d"}),
                json!("2025-11-25T10:00:01Z"),
            ),
            (json!({"value": {}, "error": null}), json!({"value": null, "error": null})),
            (json!("/Date(951782400000+0100)/"), json!("2000-02-29T00:00:00Z")),
            (json!("/Date(-1)/"), json!("1969-12-31T23:59:59Z")),
            (json!("/Date(x)/"), json!("/Date(x)/")),
            (json!(["/Date()/", 1, true]), json!(["/Date()/", 1, true])),
        ] {
            let mut value = written.clone();
            plain(&mut value);
            assert_eq!(value, expected, "{written}");
        }
    }
}
