//! What the ways to store the result of an audit have in common.

use gmsa_core::names::{AUDIT, NAME, PART_OF};
use serde_json::{Map, Value, json};

/// The largest JSON of the findings: a `ConfigMap` and a request may have 1 MiB.
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
