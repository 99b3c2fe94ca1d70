//! Which engine decides on pods, and the way from one to the other: what decides next is in force before
//! what decided before is deleted.

use gmsa_cluster::installation::{Engine, Objects, Options, Version, objects};
use kube::Client;
use serde_json::Value;

use super::FIRST_WITH_ENGINE;
use super::stage::{Stage, is_policy};
use crate::cli::{EngineArg, Install};
use crate::failure::Failure;
use crate::installation::{leftover, probe, removal};
use crate::output::printer;

/// What the policy engine is made of, in discovery.
const NEEDED: [&str; 2] = ["mutatingadmissionpolicies", "validatingadmissionpolicies"];

/// Stops if the API server cannot have the engine that is wanted, and says why `auto` chose what it did.
pub async fn check(
    args: &Install,
    client: &Client,
    options: &Options,
    version: Version,
) -> Result<(), Failure> {
    if args.engine == Some(EngineArg::Auto) {
        let why = if version.has_mutating_policies() {
            "it is the one that is proven; --engine=policy lets this API server decide by itself"
                .to_owned()
        } else {
            format!(
                "the policy engine needs an API server from {FIRST_WITH_ENGINE}, and this is {version}"
            )
        };
        printer::note(&format!("engine: webhook, because {why}"));
    }
    check_version(options, version)?;
    warn_of_old(args, version);
    if options.engine == Engine::Webhook {
        return Ok(());
    }
    let group = "admissionregistration.k8s.io/v1";
    let served = client.list_api_group_resources(group).await.map_err(|error| {
        Failure::cluster(format!("failed to read which resources of {group} are served: {error}"))
    })?;
    let is_served = |name: &&str| served.resources.iter().any(|one| one.name == *name);
    if NEEDED.iter().all(is_served) {
        return Ok(());
    }
    Err(Failure::Cluster(format!(
        "failed to install: --engine=policy needs {}, which this API server does not serve in {group}; \
         let it serve them (kube-apiserver --feature-gates, --runtime-config), or use --engine=webhook; \
         nothing was changed",
        NEEDED.join(" and ")
    )))
}

/// Warns about policies that are asked for and that the API server is too old for.
pub fn warn_of_old(args: &Install, version: Version) {
    let asked = [("--guard", args.guard), ("--protect", args.protect)];
    for (option, _) in asked.iter().filter(|(_, asked)| *asked == Some(true)) {
        if !version.has_policies() {
            printer::warning(&format!(
                "{option} has no effect: API servers before 1.30 have no admission policies, and this is \
                 {version}"
            ));
        }
    }
}

/// The same without asking a cluster.
pub fn check_version(options: &Options, version: Version) -> Result<(), Failure> {
    if options.engine == Engine::Policy && options.random_hostname {
        return Err(Failure::Input(
            "failed to install: policies give no random hostnames; add --random-hostname=false, or use \
             --engine=webhook"
                .to_owned(),
        ));
    }
    if options.engine == Engine::Policy && !version.has_mutating_policies() {
        return Err(Failure::Cluster(format!(
            "failed to install: --engine=policy needs API servers from {FIRST_WITH_ENGINE}, which change \
             pods by admission policies, and this is {version}; use --engine=webhook; nothing was \
             changed"
        )));
    }
    Ok(())
}

/// Brings up what is wanted, and deletes what an earlier install made and is not wanted any more.
pub async fn bring_up(
    stage: &Stage<'_>,
    options: &Options,
    version: Version,
    wanted: &Objects,
    leftover: Vec<Value>,
) -> Result<(), Failure> {
    let (deciding, other): (Vec<Value>, Vec<Value>) =
        leftover.into_iter().partition(removal::decides_on_pods);
    if options.has_policy_engine(version) {
        removal::delete(stage.applier, &other).await?;
        stage.apply(options, wanted).await?;
        // The guard answers the same questions as the policies, and would be taken for them.
        let (policies, webhooks): (Vec<Value>, Vec<Value>) =
            deciding.into_iter().partition(|object| is_policy(object, "Validating"));
        removal::delete(stage.applier, &policies).await?;
        if probe::policies_answered(stage.client, options, stage.end()).await? {
            printer::note("the policies answer");
        }
        if !webhooks.is_empty() {
            stage.settle().await;
        }
        return removal::delete(stage.applier, &webhooks).await;
    }
    // Where two write into the Secret of the certificate, API servers trust neither for long.
    let (writers, other): (Vec<Value>, Vec<Value>) =
        other.into_iter().partition(|object| leftover::writes_certificate(object, options));
    removal::delete(stage.applier, &writers).await?;
    if deciding.iter().any(|object| is_policy(object, "Mutating")) {
        // The same server keeps the index until the webhooks have taken over.
        let both = Options { engine: Engine::Policy, ..options.clone() };
        let both = Objects { webhooks: wanted.webhooks.clone(), ..objects(&both, version) };
        stage.server_and_webhooks(options, &both).await?;
        stage.settle().await;
    }
    // Configurations that are no longer wanted are deleted before their server.
    removal::delete(stage.applier, &deciding).await?;
    stage.apply(options, wanted).await?;
    removal::delete(stage.applier, &other).await?;
    if probe::answered(stage.client, options, stage.end()).await? {
        printer::note("the webhook answers");
    }
    Ok(())
}
