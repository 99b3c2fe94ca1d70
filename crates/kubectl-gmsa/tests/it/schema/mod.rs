//! Whether a report fits its published schema.

use std::path::Path;

use serde_json::Value;

/// Checks a report against docs/schemas/NAME.schema.json, or against a schema beside this file for
/// what others define.
pub fn check(name: &str, report: &Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = ["../../docs/schemas", "tests/it/schema"]
        .iter()
        .find_map(|under| std::fs::read(root.join(under).join(format!("{name}.schema.json"))).ok());
    let file = file.expect(name);
    let schema: Value = serde_json::from_slice(&file).unwrap();
    fits(&schema, &schema, report, "");
}

/// Checks types, required keys and references: what the published schema consists of.
fn fits(root: &Value, schema: &Value, value: &Value, path: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect(reference);
        return fits(root, target, value, path);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let one = any.iter().find(|one| one["type"] != "null").unwrap();
        if !value.is_null() {
            fits(root, one, value, path);
        }
        return;
    }
    // What one of several words says.
    if let Some(words) = schema["oneOf"].as_array() {
        assert!(
            words.iter().any(|one| one["const"] == *value),
            "{path}: {value} is none of {words:?}"
        );
        return;
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{path}: the schema has type {other}"),
    };
    let fitting = match &schema["type"] {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind.as_str().unwrap())),
        other => panic!("{path}: the schema has type {other}"),
    };
    assert!(fitting, "{path}: {value} is not {}", schema["type"]);
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(required.as_str().unwrap()).is_some(), "{path} lacks {required}");
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let known = &schema["properties"][key];
        assert!(!known.is_null(), "{path}.{key} is not in the schema");
        fits(root, known, inner, &format!("{path}.{key}"));
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        fits(root, &schema["items"], inner, &format!("{path}[{index}]"));
    }
}
