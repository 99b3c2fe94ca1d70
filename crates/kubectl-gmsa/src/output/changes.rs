//! What becomes of objects.

use gmsa_cluster::api::apply::{Change, shown};
use serde_json::Value;

/// One object, and what becomes of it.
pub fn report(object: &Value, change: &Change, note: &str) -> String {
    let name = shown(object);
    match change {
        Change::Created => format!("{name} created{note}\n"),
        Change::Unchanged => format!("{name} unchanged{note}\n"),
        Change::Changed(differences) => {
            let mut text = format!("{name} configured{note}\n");
            for difference in differences {
                let value = |value: &Option<Value>| {
                    value.as_ref().map_or_else(|| "(nothing)".to_owned(), Value::to_string)
                };
                text.push_str(&format!(
                    "  {}: {} -> {}\n",
                    difference.path,
                    value(&difference.was),
                    value(&difference.becomes)
                ));
            }
            text
        }
    }
}
