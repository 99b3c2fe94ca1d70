//! The cluster's side: everything around the webhook, and what a pod with a GMSA will need.

mod admission;
mod clock;
mod definition;
pub mod dns;
mod engine;
pub mod facts;
mod guard;
mod metrics;
pub mod nodes;
pub mod replicas;
pub mod report;
mod rights;
pub mod server;
mod specs;
mod token;
mod upkeep;
mod webhooks;

use std::collections::BTreeSet;

use gmsa_cluster::api::value::text;
use gmsa_cluster::installation::Options;
use gmsa_core::diagnosis::Outcome;
use gmsa_core::names::FIELD_MANAGER;
use kube::Client;
use serde_json::Value;

use crate::connect::server_version;
use crate::failure::Failure;
use crate::installation::kept_options;
use facts::Facts;
use gmsa_cluster::api::objects::Objects;
use replicas::Replicas;

/// Reads the cluster, and checks all of it.
pub async fn examine_all(client: &Client) -> Result<Vec<Outcome>, Failure> {
    let facts = read(client).await?;
    examine(client, &facts, &BTreeSet::new()).await
}

/// Reads what the checks rest on.
pub async fn read(client: &Client) -> Result<Facts, Failure> {
    facts::read(&Objects::new(client.clone(), FIELD_MANAGER, true)).await
}

/// The options of the last install, if it was ours.
pub async fn options(client: &Client, facts: &Facts) -> Result<Option<Options>, Failure> {
    if let (Ok(None) | Err(_), Ok(Some(in_force))) = (&facts.deployment, &facts.literals) {
        return Ok(Some(in_force.options()));
    }
    if !facts.ours || facts.deployment.is_err() {
        return Ok(None);
    }
    kept_options(client, &facts.namespace()).await
}

/// Checks the webhook, without asking it: what `status` shows, and the doctor too. Also what each
/// replica reports.
pub async fn webhook(
    client: &Client,
    facts: &Facts,
    options: Option<&Options>,
) -> Result<(Vec<Outcome>, Replicas), Failure> {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, true);
    if options.is_some_and(|options| options.literals.is_some()) {
        // Nothing runs in the cluster.
        let (mut outcomes, version) = tokio::try_join!(
            Box::pin(definition::examine(client)),
            Box::pin(server_version(client))
        )?;
        outcomes.extend(webhooks::judge(facts, options, version));
        outcomes.extend(engine::examine(&objects, facts, options, version).await?);
        return Ok((outcomes, Ok(Vec::new())));
    }
    let (mut outcomes, version, rights, server) = tokio::try_join!(
        Box::pin(definition::examine(client)),
        Box::pin(server_version(client)),
        Box::pin(rights::examine(client, facts, options)),
        Box::pin(server::examine(&objects, facts))
    )?;
    outcomes.extend(webhooks::judge(facts, options, version));
    outcomes.extend(guard::examine(&objects, options, version).await?);
    outcomes.extend(engine::examine(&objects, facts, options, version).await?);
    outcomes.push(rights);
    outcomes.extend(server);
    outcomes.extend(upkeep::examine(client, facts, options, version).await);
    let replicas =
        if facts.ours { replicas::read(client, &facts.namespace()).await } else { Ok(Vec::new()) };
    outcomes.push(token::examine(&objects, facts, &replicas).await?);
    if facts.ours {
        outcomes.extend(replicas::judge(&replicas));
    }
    Ok((outcomes, replicas))
}

/// The credential specs that are of interest: those that are named, or all.
pub fn specs_of<'a>(facts: &'a Facts, only: &BTreeSet<String>) -> Vec<&'a Value> {
    let all = facts.specs.iter().flatten().flatten();
    all.filter(|spec| only.is_empty() || only.contains(text(spec, "/metadata/name"))).collect()
}

/// Looks at the cluster. If credential specs are named, only those are of interest.
pub async fn examine(
    client: &Client,
    facts: &Facts,
    only: &BTreeSet<String>,
) -> Result<Vec<Outcome>, Failure> {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, true);
    let options = options(client, facts).await?;
    let specs = specs_of(facts, only);
    let ((mut outcomes, _), admission, dns, clock) = tokio::try_join!(
        Box::pin(webhook(client, facts, options.as_ref())),
        async { Ok(admission::examine(client, facts, options.clone()).await) },
        dns::examine(&objects, &specs),
        clock::examine(client, &objects, &facts.nodes)
    )?;
    outcomes.push(admission);
    outcomes.extend(specs::judge(&facts.specs, &specs));
    outcomes.extend(dns);
    outcomes.extend(nodes::judge(&facts.nodes, !specs.is_empty()));
    outcomes.extend(clock);
    Ok(outcomes)
}

/// The names of the Windows nodes.
pub fn windows_nodes(facts: &Facts) -> Vec<&str> {
    let windows = facts.nodes.iter().flatten().filter(|node| nodes::is_windows(node));
    windows.map(|node| text(node, "/metadata/name")).collect()
}
