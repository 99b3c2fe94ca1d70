//! The cluster's side: everything around the webhook, and what a pod with a GMSA will need.

mod definition;

use std::collections::BTreeSet;

use gmsa_cluster::install::Version;
use gmsa_core::diagnosis::Outcome;
use kube::Client;

use crate::commands::Failure;

/// Looks at the cluster. If credential specs are named, only those are of interest.
pub(super) async fn examine(
    client: &Client,
    version: Version,
    only: &BTreeSet<String>,
) -> Result<Vec<Outcome>, Failure> {
    let _ = (version, only);
    let mut outcomes = Vec::new();
    outcomes.extend(definition::examine(client).await?);
    Ok(outcomes)
}
