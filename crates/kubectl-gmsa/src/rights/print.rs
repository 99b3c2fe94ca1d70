//! Objects as they are printed.

use gmsa_cluster::api::value::{name, text};
use serde_json::{Value, json};

use crate::cli::ObjectOutput;
use crate::failure::Failure;
use crate::output::render;

/// The objects in the form that was asked for.
pub fn objects(objects: &[Value], output: ObjectOutput) -> Result<String, Failure> {
    match output {
        ObjectOutput::Name => {
            let mut all = String::new();
            for object in objects {
                let group = text(object, "/apiVersion");
                let group = group.split_once('/').map_or("", |(group, _)| group);
                let kind = text(object, "/kind").to_lowercase();
                all.push_str(&format!("{kind}.{group}/{}\n", name(object)));
            }
            Ok(all)
        }
        ObjectOutput::Yaml => {
            render::documents("YAML", &objects.iter().map(shown).collect::<Vec<_>>())
        }
        ObjectOutput::Json => {
            let objects: Vec<Value> = objects.iter().map(shown).collect();
            let whole = match <[Value; 1]>::try_from(objects) {
                Ok([one]) => one,
                Err(items) => json!({"apiVersion": "v1", "kind": "List", "items": items}),
            };
            render::json("JSON", &whole)
        }
    }
}

/// The object without the book-keeping that kubectl leaves out too.
fn shown(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}
