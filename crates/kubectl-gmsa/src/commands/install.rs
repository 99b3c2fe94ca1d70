//! `kubectl gmsa install` and `upgrade`: everything around the webhook, in an order in which no pod
//! is refused because of it.

mod adopt;
mod engine;
mod existing;
mod literal;
mod modes;
mod options;
mod stage;
mod trust;
mod wait;

use std::time::{Duration, Instant};

use gmsa_cluster::api::apply::{Applier, Change, shown};
use gmsa_cluster::api::objects::{Objects as Reader, Reference, kinds};
use gmsa_cluster::installation::identify::is_ours;
use gmsa_cluster::installation::{Engine, OLDEST, Objects, Version, objects};
use gmsa_core::names::{FIELD_MANAGER, NAME};
use kube::Client;
use serde_json::Value;

use crate::cli::{Install, InstallOutput};
use crate::connect::{self, connect, server_version};
use crate::failure::Failure;
use crate::installation::{
    helm, kept_options, leftover, refuse_elsewhere, refuse_unfinished, removal, rights,
};
use crate::output::render::changes;
use crate::output::{next, printer, render};

use stage::{Done, Stage};
use trust::Trust;

/// The newest version whose servers differ from later ones in what they are sent.
const NEWEST: Version = Version(1, 30);
/// The first version that has the policy engine.
const FIRST_WITH_ENGINE: Version = Version(1, 36);

/// Installs, or updates an installation.
pub fn run(args: &Install) -> Result<u8, Failure> {
    modes::refuse(args, args.engine.map(options::engine))?;
    if args.literals.is_static {
        return literal::run(args);
    }
    if args.dry_run.is_client() {
        let options = options::resolve(args, None)?;
        let newest = if options.engine == Engine::Policy { FIRST_WITH_ENGINE } else { NEWEST };
        let version = supported(args.kubernetes_version.unwrap_or(newest))?;
        engine::check_version(&options, version)?;
        engine::warn_of_old(args, version);
        return print(args.output, &objects(&options, version));
    }
    connect::block_on(install(args))
}

async fn install(args: &Install) -> Result<u8, Failure> {
    let client = connect(&args.target).await?;
    let version = supported(server_version(&client).await?)?;
    let namespace = args.namespace.as_deref().unwrap_or(NAME);
    let end = Instant::now() + Duration::from_secs(args.wait);
    refuse_elsewhere(&client, namespace, "install").await?;
    wait::no_leftover(&client, namespace, args.dry_run.is_server(), end).await?;
    if args.takeover.adopt
        && let Some(code) = Box::pin(adopt::run(args, &client, version, namespace)).await?
    {
        return Ok(code);
    }
    refuse_unfinished(&client, "install").await?;
    existing::refuse_foreign(&client, namespace).await?;
    helm::refuse_change(&client, namespace, args.force_conflicts).await?;
    let kept = kept_options(&client, namespace).await?;
    literal::refuse_silent_end(args, kept.as_ref())?;
    let reader = Reader::new(client.clone(), FIELD_MANAGER, false);
    literal::refuse_loss(&reader, kept.as_ref()).await?;
    if kept.is_none() {
        warn_of_lost_options(&reader).await?;
    }
    let source = kept.as_ref().map(|kept| kept.certificates);
    let options = options::resolve(args, kept)?;
    engine::check(args, &client, &options, version).await?;
    let objects = objects(&options, version);
    let applier = Applier::new(client.clone(), FIELD_MANAGER, args.force_conflicts);
    let plan = Plan::new(&client, &applier, &objects, &|_| false).await?;
    let trust = Trust::new(args, &client, &applier, &options, source)?;
    if let Some(trust) = &trust {
        trust.check(&objects.webhooks).await?;
    }
    let leftover = leftover::of_options(&client, &applier, &options, &objects, version).await?;
    // What is sent from now on may be refused from now on.
    let denied = if args.takeover.end_exclusions {
        adopt::denials(&client, &options, version).await?
    } else {
        Vec::new()
    };
    adopt::tell_denials(&denied)?;
    if args.dry_run.is_server() {
        plan.show()?;
        removal::preview(&leftover)?;
        return Ok(u8::from(adopt::are_denied(args, &options, &denied)));
    }
    if adopt::are_denied(args, &options, &denied) {
        return Ok(1);
    }
    let stage = Stage {
        client: &client,
        applier: &applier,
        wait: args.wait,
        settle: args.takeover.settle,
        place: None,
        trust: trust.as_ref(),
        done: Done::default(),
    };
    engine::bring_up(&stage, &options, version, &objects, leftover).await?;
    if let Some(trust) = &trust {
        trust.hand_over().await?;
    }
    stage.unedited(&objects.webhooks).await?;
    let status: &[&str] =
        if namespace == NAME { &["status"] } else { &["status", "--namespace", namespace] };
    next::step(&args.target, status);
    Ok(0)
}

/// The Deployment keeps the options. Without it an installation that is otherwise there would be changed
/// to the defaults unnoticed.
async fn warn_of_lost_options(reader: &Reader) -> Result<(), Failure> {
    let of = Reference::cluster(kinds::VALIDATING_WEBHOOKS, NAME);
    if reader.get(&of).await?.as_ref().is_some_and(is_ours) {
        printer::warning(
            "the options of the previous install are gone with its Deployment, so options you omit have \
             their default now; see what that changes with --dry-run=server",
        );
    }
    Ok(())
}

/// The change of every object.
struct Plan<'a> {
    changes: Vec<(&'a Value, Change)>,
}

impl<'a> Plan<'a> {
    /// Plans every object first, so that a missing right is reported before anything is changed. A
    /// `replaced` object is deleted before it is created again.
    async fn new(
        client: &Client,
        applier: &Applier,
        objects: &'a Objects,
        replaced: &dyn Fn(&Value) -> bool,
    ) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        let mut changes = Vec::new();
        for object in objects.iter() {
            if replaced(object) {
                changes.push((object, Change::Created));
                continue;
            }
            match applier.compare(object).await {
                Ok(change) => changes.push((object, change)),
                Err(error) => problems.push(error.to_string()),
            }
        }
        problems.extend(existing::missing_rights(client, &changes).await?);
        rights::refuse(problems, "nothing was changed")?;
        Ok(Self { changes })
    }

    fn show(&self) -> Result<(), Failure> {
        for (object, change) in &self.changes {
            printer::data(&changes(object, change, " (server dry run)"))?;
        }
        Ok(())
    }
}

fn print(output: InstallOutput, objects: &Objects) -> Result<u8, Failure> {
    let all = objects.iter();
    match output {
        InstallOutput::Name => {
            for object in all {
                printer::data(&format!("{} created (dry run)\n", shown(object)))?;
            }
        }
        InstallOutput::Yaml => {
            printer::data(&render::documents("YAML", all)?)?;
        }
    }
    Ok(0)
}

fn supported(version: Version) -> Result<Version, Failure> {
    if version < OLDEST {
        return Err(Failure::Cluster(format!(
            "failed to install: Kubernetes {version} is older than {OLDEST}, the oldest that is \
             supported"
        )));
    }
    Ok(version)
}
