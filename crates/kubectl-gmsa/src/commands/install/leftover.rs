//! What an earlier install made, and is not wanted any more.

use gmsa_cluster::apply::Applier;
use gmsa_cluster::install::{
    AUDIT, AUDIT_RESULTS, EARLY_WARNINGS, Options, PART_OF, Version, objects,
};
use serde_json::{Value, json};

use super::cluster;
use crate::commands::Failure;

/// The objects of options that are there although they are not asked for, what sends something to
/// the server first.
pub(super) async fn of_options(
    applier: &Applier,
    options: &Options,
    version: Version,
) -> Result<Vec<Value>, Failure> {
    let mut names = Vec::new();
    if !options.early_warnings {
        names.push(EARLY_WARNINGS);
    }
    if !options.audit {
        names.extend([AUDIT, AUDIT_RESULTS]);
    }
    let with = objects(&Options { early_warnings: true, audit: true, ..options.clone() }, version);
    let mut found = Vec::new();
    for object in with.webhooks.into_iter().chain(with.base.into_iter().rev()) {
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        if !name.is_some_and(|name| names.contains(&name)) {
            continue;
        }
        let live = applier.live(&object).await.map_err(cluster)?;
        let label = |live: &Value| live.pointer("/metadata/labels")?.get(PART_OF.0).cloned();
        if live.as_ref().and_then(label) == Some(json!(PART_OF.1)) {
            found.push(object);
        }
    }
    Ok(found)
}
