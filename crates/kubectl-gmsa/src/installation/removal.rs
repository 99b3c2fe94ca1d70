//! Deleting what decides on pods, one step after the other.

use std::time::Duration;

use gmsa_cluster::api::apply::{Applier, shown};
use serde_json::Value;

use crate::failure::Failure;
use crate::output::printer;

/// In this time API servers notice that a configuration or policy is gone; until then they do what it
/// says. A policy was seen in force for up to 1.3 s after its binding was deleted (1.36).
const NOTICE: Duration = Duration::from_secs(2);

/// Whether API servers go on for a moment with what it said.
pub fn decides_on_pods(object: &Value) -> bool {
    let kind = kind(object);
    kind.ends_with("WebhookConfiguration") || kind.contains("AdmissionPolicy")
}

/// Deletes objects in this order, and prints each. Before the next kind of decision is deleted, API
/// servers have noticed that this one is gone.
pub async fn delete(applier: &Applier, objects: &[Value]) -> Result<(), Failure> {
    let mut last = None;
    for object in objects {
        if let Some(last) = last
            && decision(object) != last
        {
            tokio::time::sleep(NOTICE).await;
        }
        last = None;
        if applier.delete(object).await? {
            printer::data(&format!("{} deleted\n", shown(object)))?;
            if decides_on_pods(object) {
                last = Some(decision(object));
            }
        }
    }
    if last.is_some() {
        tokio::time::sleep(NOTICE).await;
    }
    Ok(())
}

/// Prints what would be deleted.
pub fn preview<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Result<(), Failure> {
    objects
        .into_iter()
        .try_for_each(|one| printer::data(&format!("{} deleted (server dry run)\n", shown(one))))
}

/// Which part of a decision an object has: a policy and its binding have one.
fn decision(object: &Value) -> &str {
    let kind = kind(object);
    kind.strip_suffix("Binding").unwrap_or(kind)
}

fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}
