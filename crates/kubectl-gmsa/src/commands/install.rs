//! `kubectl gmsa install` and `upgrade`: everything around the webhook, in an order in which no pod
//! is refused because of it.

mod adopt;
mod existing;
mod leftover;
mod options;
mod pods;
mod probe;
mod stage;
mod trust;
mod wait;

use gmsa_cluster::api::apply::{Applier, Change, shown};
use gmsa_cluster::api::client;
use gmsa_cluster::installation::{
    FIELD_MANAGER, NAME, NamespaceRequirement, OLDEST, Objects, TAKEOVER, Version, objects,
};
use gmsa_core::rbac::{LabelSelector, Requirement};
use kube::Client;
use serde_json::Value;

use super::Failure;
use super::runtime::connect;
use crate::cli::shared::DryRun;
use crate::cli::{Install, InstallOutput};
use crate::printer;

pub(super) use existing::kept_options;
pub(super) use leftover::everything;
pub(super) use probe::{asked_once, remedy};
use stage::Stage;
use trust::Trust;
pub(super) use trust::{FILLED_BY, signs};

/// The newest version whose servers differ from later ones in what they are sent.
const NEWEST: Version = Version(1, 28);

/// Installs, or brings an installation to what is asked for.
pub fn run(args: &Install) -> Result<u8, Failure> {
    if args.dry_run == DryRun::Client {
        if args.takeover.adopt {
            return Err(Failure::Input(
                "--adopt needs a cluster to look at; use --dry-run=server".to_owned(),
            ));
        }
        if args.ca_bundle.is_some() {
            return Err(Failure::Input(
                "--ca-bundle needs a cluster: no manifest holds a caBundle".to_owned(),
            ));
        }
        let options = options::resolve(args, None)?;
        let version = args.kubernetes_version.unwrap_or(NEWEST);
        return print(args.output, &objects(&options, supported(version)?));
    }
    if args.takeover.accept_denials && !(args.takeover.adopt || args.takeover.end_exclusions) {
        return Err(Failure::Input(
            "--accept-denials belongs to --adopt or --end-exclusions".to_owned(),
        ));
    }
    if args.output == InstallOutput::Yaml {
        return Err(Failure::Input("-o yaml needs --dry-run=client".to_owned()));
    }
    if args.kubernetes_version.is_some() {
        return Err(Failure::Input(
            "--kubernetes-version needs --dry-run=client; a cluster says its own".to_owned(),
        ));
    }
    super::runtime::block_on(install(args))
}

async fn install(args: &Install) -> Result<u8, Failure> {
    let client = connect(&args.target).await?;
    let version = supported(server_version(&client).await?)?;
    let namespace = args.namespace.as_deref().unwrap_or(NAME);
    if args.takeover.adopt
        && let Some(code) = adopt::run(args, &client, version, namespace).await?
    {
        return Ok(code);
    }
    refuse_unfinished(&client, "install").await?;
    existing::refuse_foreign(&client, namespace).await?;
    let kept = kept_options(&client, namespace).await?;
    let source = kept.as_ref().map(|kept| kept.certificates);
    let options = options::resolve(args, kept)?;
    let objects = objects(&options, version);
    let applier = Applier::new(client.clone(), FIELD_MANAGER, args.force_conflicts);
    let plan = Plan::new(&client, &applier, &objects, &|_| false).await?;
    let trust = Trust::new(args, &client, &applier, &options, source)?;
    if let Some(trust) = &trust {
        trust.check(&objects.webhooks).await?;
    }
    let leftover = leftover::of_options(&applier, &options, &objects, version).await?;
    // What is sent from now on may be refused from now on.
    let denied = if args.takeover.end_exclusions {
        adopt::denials(&client, &options, version).await?
    } else {
        Vec::new()
    };
    adopt::tell_denials(&denied)?;
    if args.dry_run == DryRun::Server {
        plan.show()?;
        for object in &leftover {
            printer::data(&format!("{} deleted (server dry run)\n", shown(object)))?;
        }
        return Ok(u8::from(adopt::are_denied(args, &denied)));
    }
    if adopt::are_denied(args, &denied) {
        return Ok(1);
    }
    // What is not wanted any more goes before the server that answers it does.
    for object in leftover {
        if applier.delete(&object).await.map_err(cluster)? {
            printer::data(&format!("{} deleted\n", shown(&object)))?;
        }
    }
    let stage = Stage {
        client: &client,
        applier: &applier,
        wait: args.wait,
        place: None,
        trust: trust.as_ref(),
    };
    stage.apply(&options, &objects).await?;
    if probe::answered(&client, &options, stage.end()).await? {
        printer::note("the webhook answers");
    }
    Ok(0)
}

/// What would become of every object.
struct Plan<'a> {
    changes: Vec<(&'a Value, Change)>,
}

impl<'a> Plan<'a> {
    /// Everything is asked first: a missing right is told before anything is changed. What is
    /// `replaced` goes before it is made anew.
    async fn new(
        client: &Client,
        applier: &Applier,
        objects: &'a Objects,
        replaced: &dyn Fn(&Value) -> bool,
    ) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        let mut changes = Vec::new();
        for object in objects.base.iter().chain(&objects.webhooks) {
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
        refuse(problems)?;
        Ok(Self { changes })
    }

    fn show(&self) -> Result<(), Failure> {
        for (object, change) in &self.changes {
            printer::data(&report(object, change, " (server dry run)"))?;
        }
        Ok(())
    }
}

/// Stops before anything is changed.
fn refuse(mut problems: Vec<String>) -> Result<(), Failure> {
    if problems.is_empty() {
        return Ok(());
    }
    problems.push("nothing was changed".to_owned());
    Err(Failure::Cluster(problems.join("\nerror: ")))
}

/// Whether a namespace's labels are such that its pods are sent.
fn sent(requirements: &[NamespaceRequirement]) -> LabelSelector {
    let requirement = |one: &NamespaceRequirement| Requirement {
        key: one.key.clone(),
        operator: one.operator.clone(),
        values: one.values.clone(),
    };
    LabelSelector {
        match_expressions: requirements.iter().map(requirement).collect(),
        ..LabelSelector::default()
    }
}

/// A takeover that was interrupted is finished first.
pub(super) async fn refuse_unfinished(client: &Client, verb: &str) -> Result<(), Failure> {
    if !adopt::is_unfinished(client).await? {
        return Ok(());
    }
    Err(Failure::Cluster(format!(
        "failed to {verb}: a takeover was interrupted (Namespace {TAKEOVER}); finish it by \
         kubectl gmsa install --adopt; nothing was changed"
    )))
}

/// One object, and what becomes of it.
pub(super) fn report(object: &Value, change: &Change, note: &str) -> String {
    let name = shown(object);
    match change {
        Change::Created => format!("{name} created{note}\n"),
        Change::Unchanged => format!("{name} unchanged{note}\n"),
        Change::Changed(differences) => {
            let mut text = format!("{name} configured{note}\n");
            for difference in differences {
                let value = |value: &Option<Value>| {
                    value.as_ref().map_or_else(|| "(nothing)".to_owned(), Value::to_string)
                };
                text.push_str(&format!(
                    "  {}: {} -> {}\n",
                    difference.path,
                    value(&difference.was),
                    value(&difference.becomes)
                ));
            }
            text
        }
    }
}

fn print(output: InstallOutput, objects: &Objects) -> Result<u8, Failure> {
    let all = objects.base.iter().chain(&objects.webhooks);
    match output {
        InstallOutput::Name => {
            for object in all {
                printer::data(&format!("{} created (dry run)\n", shown(object)))?;
            }
        }
        InstallOutput::Yaml => {
            let mut text = String::new();
            for object in all {
                text.push_str("---\n");
                text.push_str(&super::render::yaml("YAML", object)?);
            }
            printer::data(&text)?;
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

/// The version of the API server.
pub(super) async fn server_version(client: &Client) -> Result<Version, Failure> {
    let info = client.apiserver_version().await.map_err(|error| {
        Failure::Cluster(format!(
            "failed to ask the API server for its version: {}",
            client::why(&error)
        ))
    })?;
    format!("{}.{}", info.major, info.minor).parse().map_err(Failure::Cluster)
}

/// An error of the cluster.
pub(super) fn cluster(error: impl std::fmt::Display) -> Failure {
    Failure::Cluster(error.to_string())
}
