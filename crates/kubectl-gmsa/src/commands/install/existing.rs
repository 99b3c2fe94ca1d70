//! What exists before: our installation, another GMSA webhook, and the caller's rights.

use gmsa_cluster::api::apply::Change;
use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::name;
use gmsa_cluster::installation::identify::{is_gmsa_configuration, is_ours};
use gmsa_core::names::{FIELD_MANAGER, NAME};
use kube::Client;
use serde_json::Value;

use crate::failure::Failure;
use crate::installation::rights::missing_right;

/// Refuses to install next to another webhook for the same pods: both would change every object.
pub async fn refuse_foreign(client: &Client, namespace: &str) -> Result<(), Failure> {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    let read =
        |error| Failure::cluster(format!("failed to look for an existing installation: {error}"));
    let mut found = Vec::new();
    for kind in [kinds::MUTATING_WEBHOOKS, kinds::VALIDATING_WEBHOOKS] {
        let all = objects.list(kind, None).await.map_err(read)?;
        let foreign = all.iter().filter(|one| !is_ours(one) && is_gmsa_configuration(one));
        found.extend(foreign.map(|one| format!("{} {}", kind.kind, name(one))));
    }
    let deployment = Reference::namespaced(kinds::DEPLOYMENT, namespace, NAME);
    if objects.get(&deployment).await.map_err(read)?.is_some_and(|one| !is_ours(&one)) {
        found.push(deployment.to_string());
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::Cluster(format!(
        "failed to install: there is another GMSA webhook: {}; take over from it with --adopt \
         (--adopt --dry-run=server shows what that would do), or keep it and put our image into \
         its Deployment (docs/operations.md); nothing was changed",
        found.join(", ")
    )))
}

/// Missing rights. A dry run checks them for existing objects; for objects to
/// be created the API server is asked.
pub async fn missing_rights(
    client: &Client,
    changes: &[(&Value, Change)],
) -> Result<Vec<String>, Failure> {
    let mut missing = Vec::new();
    for (object, change) in changes {
        if *change == Change::Created {
            for verb in ["create", "patch"] {
                missing.extend(missing_right(client, verb, object).await?);
            }
        }
    }
    Ok(missing)
}
