//! Reading Kubernetes objects that are plain JSON: a field that is missing or of another type is
//! empty. Pointers are JSON pointers (RFC 6901).

use std::collections::BTreeMap;

use serde_json::Value;

/// The text at a place; empty if there is none.
#[must_use]
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The elements of the list at a place.
pub fn array<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// The texts of the map at a place, such as labels.
#[must_use]
pub fn labels(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let labels = object.pointer(pointer).and_then(Value::as_object);
    let pair = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    labels.into_iter().flatten().filter_map(pair).collect()
}

/// The condition of a type that an object reports in its status.
#[must_use]
pub fn condition<'a>(object: &'a Value, of: &str) -> Option<&'a Value> {
    array(object, "/status/conditions").find(|one| text(one, "/type") == of)
}

/// Whether an object reports a condition as true.
#[must_use]
pub fn is_true(object: &Value, of: &str) -> bool {
    condition(object, of).is_some_and(|one| text(one, "/status") == "True")
}

/// The name of an object.
#[must_use]
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// The namespace of an object; empty if it has none.
#[must_use]
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}
