//! What everything that keeps the result of an audit has in common.

use gmsa_core::names::{AUDIT, NAME, PART_OF};
use serde_json::{Map, Value, json};

/// How long the findings are at most in JSON: a `ConfigMap` holds 1 MiB, and so does a request.
pub(super) const MOST: usize = 512 * 1024;

/// The metadata of everything that is kept.
pub(super) fn metadata(owner: Option<&Value>) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(AUDIT));
    let labels = json!({"app.kubernetes.io/name": NAME, PART_OF.0: PART_OF.1});
    metadata.insert("labels".to_owned(), labels);
    if let Some(owner) = owner {
        metadata.insert("ownerReferences".to_owned(), json!([owner]));
    }
    metadata
}
