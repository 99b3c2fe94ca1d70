//! `kubectl gmsa install --engine=policy --static`: policies that have the credential specs in them, so
//! that nothing of ours runs in the cluster.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gmsa_cluster::api::apply::{Applier, Change};
use gmsa_cluster::api::objects::Objects as Reader;
use gmsa_cluster::installation::engine::InForce;
use gmsa_cluster::installation::{Engine, Objects, Options, Origin, literal_objects};
use gmsa_cluster::manifests::{self, Input, ManifestSet, Manifests, Problem};
use gmsa_core::credspec::CredentialSpec;
use gmsa_core::credspec::name::is_valid_name;
use gmsa_core::index::Spec;
use gmsa_core::names::{FIELD_MANAGER, KIND};
use serde_json::{Value, json};

use super::stage::is_policy;
use super::{FIRST_WITH_ENGINE, Plan, engine, existing, options, print, supported, wait};
use crate::cli::{EngineArg, Install};
use crate::connect::{self, connect, server_version};
use crate::credential_spec::{self, name_of};
use crate::failure::Failure;
use crate::installation::{kept_options, leftover, probe, refuse_unfinished, removal};
use crate::output::render::changes;
use crate::output::{next, printer};

/// Prints or applies the policies.
pub fn run(args: &Install) -> Result<u8, Failure> {
    if args.engine != Some(EngineArg::Policy) {
        return Err(Failure::Input(
            "--static writes credential specs into policies, so it needs --engine=policy"
                .to_owned(),
        ));
    }
    if args.takeover.adopt {
        return Err(Failure::Input(
            "--adopt needs a server that answers while the old installation is removed, and with --static \
             none runs: take over by kubectl gmsa install --adopt --engine=policy, then run kubectl gmsa \
             install --engine=policy --static"
                .to_owned(),
        ));
    }
    if !args.dry_run.is_client() {
        return connect::block_on(install(args));
    }
    if args.literals.filename.is_empty() {
        return Err(Failure::Input(
            "--dry-run=client reads no cluster; name the files with the credential specs by -f"
                .to_owned(),
        ));
    }
    let options = policy_options(args, None)?;
    let version = supported(args.kubernetes_version.unwrap_or(FIRST_WITH_ENGINE))?;
    engine::check_version(&options, version)?;
    print(args.output, &literal_objects(&options, version, &of_files(args)?))
}

/// The options, with the engine that is wanted.
fn policy_options(args: &Install, kept: Option<Options>) -> Result<Options, Failure> {
    let literals =
        Some(if args.literals.filename.is_empty() { Origin::Cluster } else { Origin::Files });
    Ok(Options { engine: Engine::Policy, literals, ..options::resolve(args, kept)? })
}

/// Refuses to replace policies that have the credential specs in them unless the engine is named: what
/// follows would begin to run a server, and forget credential specs that only files have.
pub fn refuse_silent_end(args: &Install, kept: Option<&Options>) -> Result<(), Failure> {
    if args.engine.is_some() || kept.is_none_or(|kept| kept.literals.is_none()) {
        return Ok(());
    }
    Err(Failure::Input(
        "failed to install: the policies that decide on pods have the credential specs in them, and no \
         server runs. To write them again, run kubectl gmsa install --engine=policy --static (with -f for \
         those from files); to let a server keep them, kubectl gmsa install --engine=policy, or \
         --engine=webhook; nothing was changed"
            .to_owned(),
    ))
}

/// Refuses to forget credential specs that came from files and that the cluster, from which they are to
/// come now, does not have.
pub async fn refuse_loss(reader: &Reader, kept: Option<&Options>) -> Result<(), Failure> {
    if kept.and_then(|kept| kept.literals) != Some(Origin::Files) {
        return Ok(());
    }
    let in_force = InForce::read(reader).await?;
    let specs = credential_spec::list(reader).await?;
    let known = in_force.iter().flat_map(|in_force| in_force.specs().keys());
    let is_lost = |name: &&String| !specs.iter().any(|spec| name_of(spec) == *name);
    let lost: Vec<&str> = known.filter(is_lost).map(String::as_str).collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "failed to install: the policies have credential specs from files, and the cluster does not have \
         {}; apply their files to the cluster first, or keep --engine=policy --static and name them by -f; \
         nothing was changed",
        lost.join(", ")
    )))
}

/// The credential specs of the files, as an API server would store them.
fn of_files(args: &Install) -> Result<BTreeMap<String, Spec>, Failure> {
    let inputs: Vec<Input> =
        args.literals.filename.iter().map(|path| path.as_path().into()).collect();
    let Manifests { documents, unreadable, .. } = manifests::read(&inputs)?;
    let set = ManifestSet::new(&documents, "");
    let unusable = unreadable.iter().map(ToString::to_string);
    // One that is left out would be one that does not exist.
    let unusable = unusable.chain(set.problems.iter().filter_map(|problem| match problem {
        Problem::Unnamed { kind, .. } | Problem::Twice { kind, .. } if kind != KIND => None,
        Problem::Unnamed { .. } | Problem::Twice { .. } | Problem::Kindless(_) => {
            Some(problem.to_string())
        }
        Problem::Template { .. } | Problem::Rbac { .. } => None,
    }));
    let mut problems: Vec<String> = unusable.collect();
    let mut specs = BTreeMap::new();
    for (name, found) in &set.credential_specs {
        match stored(name, found) {
            Ok(object) => drop(specs.insert(name.clone(), Spec::of(&object))),
            Err(why) => problems.push(format!("{}: {KIND} \"{name}\": {why}", found.source)),
        }
    }
    if specs.is_empty() && problems.is_empty() {
        problems.push(format!("there is no {KIND} in the files"));
    }
    if problems.is_empty() { Ok(specs) } else { Err(Failure::Input(problems.join("\nerror: "))) }
}

/// The object as an API server would store it: without keys that the definition does not have.
fn stored(name: &str, found: &manifests::CredentialSpec) -> Result<Value, String> {
    if !found.is_served() || !is_valid_name(name) {
        return Err(format!(
            "an API server would refuse it: apiVersion, kind or name is wrong; see `kubectl gmsa \
             credspec lint -f {}`",
            found.source.file
        ));
    }
    let mut object = Value::clone(&found.object);
    if let Some(contents) = object.get_mut("credspec").filter(|contents| !contents.is_null()) {
        let known: CredentialSpec = serde_json::from_value(contents.take())
            .map_err(|error| format!("an API server would refuse it: {error}"))?;
        *contents = serde_json::to_value(known).map_err(|error| error.to_string())?;
    }
    Ok(object)
}

async fn install(args: &Install) -> Result<u8, Failure> {
    let client = connect(&args.target).await?;
    let version = supported(server_version(&client).await?)?;
    let namespace = args.namespace.as_deref().unwrap_or(gmsa_core::names::NAME);
    let end = Instant::now() + Duration::from_secs(args.wait);
    wait::no_leftover(&client, namespace, args.dry_run.is_server(), end).await?;
    refuse_unfinished(&client, "install").await?;
    existing::refuse_foreign(&client, namespace).await?;
    let kept = kept_options(&client, namespace).await?;
    let options = policy_options(args, kept.clone())?;
    engine::check(args, &client, &options, version).await?;
    let specs = if args.literals.filename.is_empty() {
        let reader = Reader::new(client.clone(), FIELD_MANAGER, false);
        refuse_loss(&reader, kept.as_ref()).await?;
        let found = credential_spec::list(&reader).await?;
        found.iter().map(|one| (name_of(one).to_owned(), Spec::of(one))).collect()
    } else {
        of_files(args)?
    };
    let objects = literal_objects(&options, version, &specs);
    let applier = Applier::new(client.clone(), FIELD_MANAGER, args.force_conflicts);
    let plan = Plan::new(&client, &applier, &objects, &|_| false).await?;
    let leftover = leftover::of_options(&client, &applier, &options, &objects, version).await?;
    // The namespace may have other objects in it.
    let leftover: Vec<Value> = leftover
        .into_iter()
        .filter(|object| object.get("kind") != Some(&json!("Namespace")))
        .collect();
    if args.dry_run.is_server() {
        plan.show()?;
        removal::preview(&leftover)?;
        return Ok(0);
    }
    bring_up(args, &applier, &objects).await?;
    // The guard of the webhook answers the same questions, and would be taken for the policies.
    let (policies, others): (Vec<Value>, Vec<Value>) =
        leftover.into_iter().partition(|object| is_policy(object, "Validating"));
    removal::delete(&applier, &policies).await?;
    if probe::policies_answered(&client, &options, end).await? {
        printer::note("the policies answer");
    }
    if !others.is_empty() {
        settle(args).await;
    }
    removal::delete(&applier, &others).await?;
    printer::note(&format!(
        "the policies have {} credential specs; after a change of one run the same command again",
        specs.len()
    ));
    next::step(&args.target, &["status"]);
    Ok(0)
}

/// Applies everything; what refuses pods only once each API server expands them.
async fn bring_up(args: &Install, applier: &Applier, objects: &Objects) -> Result<(), Failure> {
    let mut is_new = false;
    for (object, checks) in objects.iter().map(|one| (one, is_policy(one, "Validating"))) {
        if checks && is_new {
            settle(args).await;
            is_new = false;
        }
        let change = applier.apply(object).await?;
        printer::data(&changes(object, &change, ""))?;
        // A change of credential specs is in force in a moment; pods with one of those wait for it.
        is_new |= !checks && change == Change::Created;
    }
    Ok(())
}

async fn settle(args: &Install) {
    let seconds = args.takeover.settle;
    printer::note(&format!("waiting {seconds} s for every API server to notice (--settle)"));
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
