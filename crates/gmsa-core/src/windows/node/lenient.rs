//! Lists as Windows PowerShell writes them.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A list: an array, null for an empty one, the element alone for one of one element, or an object
/// with `value` and `Count`, which Windows PowerShell 5.1 makes of some arrays.
pub(super) fn many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let elements = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::Array(elements) => elements,
        Value::Object(mut object) if object.len() == 2 && object.contains_key("Count") => {
            match object.remove("value") {
                Some(Value::Array(elements)) => elements,
                _ => return Err(D::Error::custom("a list is an object without elements")),
            }
        }
        one => vec![one],
    };
    elements.into_iter().map(|one| serde_json::from_value(one).map_err(D::Error::custom)).collect()
}
