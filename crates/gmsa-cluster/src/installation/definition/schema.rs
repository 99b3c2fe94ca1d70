//! The structural schema, from the types of the credential spec.

use gmsa_core::credspec::CredentialSpec;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of the whole resource.
pub(super) fn root() -> JSONSchemaProps {
    let mut credspec = credspec();
    if let Value::Object(schema) = &mut credspec {
        schema.insert("description".to_owned(), json!("The contents of the credential spec."));
    }
    let root = json!({
        "description": "A credential spec: which group managed service account of Active \
                        Directory Windows containers run as. Pods name it in \
                        securityContext.windowsOptions.gmsaCredentialSpecName.",
        "type": "object",
        "properties": {"credspec": credspec},
    });
    serde_json::from_value(root).unwrap_or_default()
}

fn credspec() -> Value {
    let generator = SchemaSettings::draft2019_09()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator();
    let mut schema = generator.into_root_schema_for::<CredentialSpec>().to_value();
    to_structural(&mut schema);
    schema
}

/// Keeps what a structural schema of Kubernetes may have: an optional key is one that is absent,
/// not one that is null.
fn to_structural(schema: &mut Value) {
    let Value::Object(keys) = schema else { return };
    keys.retain(|key, _| matches!(key.as_str(), "type" | "description" | "properties" | "items"));
    if let Some(Value::Array(types)) = keys.get("type") {
        let only = types.iter().find(|kind| *kind != "null").cloned();
        keys.insert("type".to_owned(), only.unwrap_or(Value::Null));
    }
    if let Some(items) = keys.get_mut("items") {
        to_structural(items);
    }
    let mut nothing = Map::new();
    let properties = keys.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.unwrap_or(&mut nothing).values_mut() {
        to_structural(property);
    }
}
