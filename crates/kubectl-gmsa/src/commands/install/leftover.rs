//! What an earlier install made, and is not wanted any more.

use gmsa_cluster::apply::Applier;
use gmsa_cluster::install::{EARLY_WARNINGS, Options, PART_OF, Version, objects};
use serde_json::{Value, json};

use super::cluster;
use crate::commands::Failure;

/// The objects of early warnings that are there although they are not asked for, what sends
/// something to the server first.
pub(super) async fn of_early_warnings(
    applier: &Applier,
    options: &Options,
    version: Version,
) -> Result<Vec<Value>, Failure> {
    if options.early_warnings {
        return Ok(Vec::new());
    }
    let with = objects(&Options { early_warnings: true, ..options.clone() }, version);
    let mut found = Vec::new();
    for object in with.webhooks.into_iter().chain(with.base.into_iter().rev()) {
        if object.pointer("/metadata/name") != Some(&json!(EARLY_WARNINGS)) {
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
