//! The cluster's side: everything around the webhook, and what a pod with a GMSA will need.

mod admission;
mod clock;
mod definition;
mod dns;
mod facts;
mod nodes;
mod rights;
mod server;
mod specs;
mod webhooks;

use std::collections::BTreeSet;

use gmsa_core::diagnosis::Outcome;
use kube::Client;
use serde_json::Value;

use crate::commands::Failure;
use crate::commands::connection::MANAGER;
use facts::text;
use gmsa_cluster::objects::Objects;

/// Looks at the cluster. If credential specs are named, only those are of interest.
pub(in crate::commands) async fn examine(
    client: &Client,
    only: &BTreeSet<String>,
) -> Result<Vec<Outcome>, Failure> {
    let objects = Objects::new(client.clone(), MANAGER, true);
    let facts = facts::read(&objects).await?;
    let options = rights::options(client, &facts).await?;
    let specs: Vec<&Value> = facts
        .specs
        .iter()
        .flatten()
        .flatten()
        .filter(|spec| only.is_empty() || only.contains(text(spec, "/metadata/name")))
        .collect();
    let mut outcomes = definition::examine(client).await?;
    outcomes.extend(webhooks::judge(&facts));
    outcomes.push(rights::examine(client, &facts, options.as_ref()).await?);
    outcomes.extend(server::examine(&objects, &facts).await?);
    outcomes.push(admission::examine(client, &facts, options).await);
    outcomes.extend(specs::judge(&facts.specs, &specs));
    outcomes.extend(dns::examine(&objects, &specs).await?);
    outcomes.extend(nodes::judge(&facts.nodes, !specs.is_empty()));
    outcomes.extend(clock::examine(client, &objects, &facts.nodes).await?);
    Ok(outcomes)
}
