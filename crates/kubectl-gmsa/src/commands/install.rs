//! `kubectl gmsa install` and `upgrade`: everything around the webhook, in an order in which no pod
//! is refused because of it.

mod existing;
mod leftover;
mod options;
mod probe;
mod wait;

use std::time::{Duration, Instant};

use gmsa_cluster::apply::{Applier, Change, shown};
use gmsa_cluster::client;
use gmsa_cluster::install::{
    Certificates, FIELD_MANAGER, NAME, OLDEST, Objects, Options, PROBE_LABEL, Version, objects,
};
use kube::Client;
use serde_json::{Value, json};

use super::Failure;
use super::runtime::connect;
use crate::cli::shared::DryRun;
use crate::cli::{Install, InstallOutput};
use crate::printer;

pub(super) use existing::kept_options;
pub(super) use probe::{asked_once, remedy};

/// The newest version whose servers differ from later ones in what they are sent.
const NEWEST: Version = Version(1, 28);

/// Installs, or brings an installation to what is asked for.
pub fn run(args: &Install) -> Result<u8, Failure> {
    if args.dry_run == DryRun::Client {
        let options = options::resolve(args, None)?;
        let version = args.kubernetes_version.unwrap_or(NEWEST);
        return print(args.output, &objects(&options, supported(version)?));
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
    let namespace = args.namespace.as_deref().unwrap_or(gmsa_cluster::install::NAME);
    existing::refuse_foreign(&client, namespace).await?;
    let kept = kept_options(&client, namespace).await?;
    let options = options::resolve(args, kept)?;
    let objects = objects(&options, version);
    let applier = Applier::new(client.clone(), FIELD_MANAGER, args.force_conflicts);

    // Everything is asked first: a missing right is told before anything is changed.
    let mut problems = Vec::new();
    let mut changes = Vec::new();
    for object in objects.base.iter().chain(&objects.webhooks) {
        match applier.compare(object).await {
            Ok(change) => changes.push((object, change)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    problems.extend(existing::missing_rights(&client, &changes).await?);
    if !problems.is_empty() {
        problems.push("nothing was changed".to_owned());
        return Err(Failure::Cluster(problems.join("\nerror: ")));
    }
    if args.dry_run == DryRun::Server {
        for (object, change) in &changes {
            printer::data(&report(object, change, " (server dry run)"))?;
        }
        for object in leftover::of_options(&applier, &options, version).await? {
            printer::data(&format!("{} deleted (server dry run)\n", shown(&object)))?;
        }
        return Ok(0);
    }
    // What is not wanted any more goes before the server that answers it does.
    for object in leftover::of_options(&applier, &options, version).await? {
        if applier.delete(&object).await.map_err(cluster)? {
            printer::data(&format!("{} deleted\n", shown(&object)))?;
        }
    }
    apply(args, &client, &applier, &options, &objects).await?;
    Ok(0)
}

async fn apply(
    args: &Install,
    client: &Client,
    applier: &Applier,
    options: &Options,
    objects: &Objects,
) -> Result<(), Failure> {
    let end = Instant::now() + Duration::from_secs(args.wait);
    for object in &objects.base {
        apply_one(applier, object).await?;
    }
    wait::available(client, &options.namespace, end).await?;
    // What only warns holds up nothing, and comes when the rest answers.
    let is_guard = |object: &&Value| object.pointer("/metadata/name") == Some(&json!(NAME));
    let (guards, others): (Vec<&Value>, Vec<&Value>) = objects.webhooks.iter().partition(is_guard);
    let mut first = false;
    for object in &guards {
        first |= applier.live(object).await.map_err(cluster)?.is_none();
    }
    // Whose CA it is, is not ours to know: there the bundle comes from elsewhere, and later.
    let own_ca = options.certificates == Certificates::SelfManaged;
    if first && own_ca {
        // At first only our own probe is sent: if it is not answered, no other pod is held up.
        for object in &guards {
            applier.apply(&only_probes(object)).await.map_err(cluster)?;
        }
        if let Err(failure) = probe::answered(client, options, end).await {
            for object in &guards {
                applier.delete(object).await.map_err(cluster)?;
            }
            printer::note("the webhook configurations were taken away again: no pod is held up");
            return Err(failure);
        }
        for object in &guards {
            applier.apply(object).await.map_err(cluster)?;
            printer::data(&report(object, &Change::Created, ""))?;
        }
    } else {
        for object in &guards {
            apply_one(applier, object).await?;
        }
    }
    for object in others {
        apply_one(applier, object).await?;
    }
    if own_ca {
        probe::answered(client, options, end).await?;
        printer::note("the webhook answers");
    } else {
        printer::note("the webhook runs; whether it answers is seen once its caBundle is set");
    }
    Ok(())
}

async fn apply_one(applier: &Applier, object: &Value) -> Result<(), Failure> {
    let change = applier.apply(object).await.map_err(cluster)?;
    printer::data(&report(object, &change, ""))
}

/// The same configuration for pods that carry the label of our probe only.
fn only_probes(object: &Value) -> Value {
    let mut object = object.clone();
    let webhooks = object.get_mut("webhooks").and_then(Value::as_array_mut);
    for webhook in webhooks.into_iter().flatten().filter_map(Value::as_object_mut) {
        webhook.insert("objectSelector".to_owned(), json!({"matchLabels": {PROBE_LABEL: "true"}}));
    }
    object
}

/// One object, and what becomes of it.
fn report(object: &Value, change: &Change, note: &str) -> String {
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
