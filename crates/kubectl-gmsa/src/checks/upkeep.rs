//! Whether our own installation is as install makes it, and what an outage of it stops.

use gmsa_cluster::api::apply::{Applier, Change, shown};
use gmsa_cluster::api::value::{array, text};
use gmsa_cluster::installation::{Options, Version, objects};
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::{WEBHOOK_DRIFT, WEBHOOK_OUTAGE};
use gmsa_core::names::{FIELD_MANAGER, OPTIONS};
use gmsa_core::printable::listed;
use kube::Client;
use serde_json::Value;

use super::facts::Facts;
use crate::installation::helm::release;

/// Compares the objects with those that install would create. Nothing without our installation.
pub async fn examine(
    client: &Client,
    facts: &Facts,
    options: Option<&Options>,
    version: Version,
) -> Vec<Outcome> {
    let Some(options) = options else { return Vec::new() };
    let mut options = Options { namespace: facts.namespace(), ..options.clone() };
    let deployment = facts.live_deployment();
    let maker = deployment.and_then(maker);
    if let (Some(deployment), Some(Maker::Overlay(_))) = (deployment, &maker) {
        choices_of_overlay(deployment, &mut options);
    }
    vec![drift(client, &options, version, maker.as_ref()).await, outage(&options, version)]
}

/// What made the installation in place of install, and would undo what install sets.
enum Maker {
    /// Helm, by a release with this name.
    Helm(String),
    /// Manifests that were applied, such as an overlay, by this field manager.
    Overlay(String),
}

/// What made a Deployment that install never applied.
fn maker(deployment: &Value) -> Option<Maker> {
    if let Some((namespace, name)) = release(deployment) {
        return Some(Maker::Helm(format!("{namespace}/{name}")));
    }
    // Who changes single fields, such as the scale, does not hold the selector.
    let all = array(deployment, "/metadata/managedFields");
    let holders = all.filter(|one| one.pointer("/fieldsV1/f:spec/f:selector").is_some());
    let managers: Vec<&str> = holders.map(|one| text(one, "/manager")).collect();
    let first = managers.first().filter(|_| !managers.contains(&FIELD_MANAGER))?;
    Some(Maker::Overlay((*first).to_owned()))
}

/// Takes the image and the number of replicas from the Deployment: overlays set them, and leave the
/// annotation with the options as it was made.
fn choices_of_overlay(deployment: &Value, options: &mut Options) {
    let image = text(deployment, "/spec/template/spec/containers/0/image");
    if !image.is_empty() {
        image.clone_into(&mut options.image);
    }
    let replicas = deployment.pointer("/spec/replicas").and_then(Value::as_u64);
    if let Some(replicas) = replicas.and_then(|number| number.try_into().ok()) {
        options.replicas = replicas;
    }
}

async fn drift(
    client: &Client,
    options: &Options,
    version: Version,
    maker: Option<&Maker>,
) -> Outcome {
    let applier = Applier::new(client.clone(), FIELD_MANAGER, true);
    let wanted = objects(options, version);
    let mut differs = Vec::new();
    for object in wanted.iter() {
        // Helm makes the namespace of a release, not the chart.
        if matches!(maker, Some(Maker::Helm(_))) && is_namespace(object, &options.namespace) {
            continue;
        }
        match applier.compare(object).await {
            Ok(Change::Unchanged) => {}
            Ok(Change::Created) => differs.push(format!("{} is missing", shown(object))),
            Ok(Change::Changed(differences)) => {
                // The options are the input of the comparison; only their spelling can differ.
                let options = format!("metadata.annotations.{OPTIONS}");
                let paths = differences.iter().map(|one| one.path.as_str());
                let paths: Vec<&str> = paths.filter(|path| *path != options).collect();
                if !paths.is_empty() {
                    differs.push(format!("{} ({})", shown(object), listed(&paths, SHOWN)));
                }
            }
            Err(error) if error.is_unknown_kind() => {
                differs.push(format!("{} is of a kind that the cluster lacks", shown(object)));
            }
            Err(error) if error.is_forbidden() => {
                let words = "not checked: you may not change the objects";
                return Outcome::skipped(&WEBHOOK_DRIFT, words);
            }
            // The object that is there may be such that install cannot change it.
            Err(error) => differs.push(format!("{} cannot be compared: {error}", shown(object))),
        }
    }
    if differs.is_empty() {
        return Outcome::ok(&WEBHOOK_DRIFT, "every object is as install makes it");
    }
    let words = format!("not as this version of install makes it: {}", listed(&differs, SHOWN));
    let outcome = Outcome::warning(&WEBHOOK_DRIFT, words);
    let source = match maker {
        None => return outcome,
        Some(Maker::Helm(release)) => format!("Helm's release {release}: `helm upgrade` it"),
        Some(Maker::Overlay(manager)) => {
            format!("the manifests that {manager} applied: apply them again, or change them there")
        }
    };
    outcome.then(format!(
        "It comes from {source}. `kubectl gmsa install --force-conflicts --dry-run=server` shows the \
         differences; without `--dry-run` it would take the installation over."
    ))
}

fn is_namespace(object: &Value, name: &str) -> bool {
    text(object, "/kind") == "Namespace" && text(object, "/metadata/name") == name
}

/// How many of a list a row names: another version changes many fields at once.
const SHOWN: usize = 6;

fn outage(options: &Options, version: Version) -> Outcome {
    if options.has_policy_engine(version) {
        let words = "while no replica runs, pods that use a GMSA start as before: API servers decide by \
            the index that is there; changes of credential specs wait";
        return Outcome::ok(&WEBHOOK_OUTAGE, words);
    }
    let who = match (version.filters(), options.namespaces_opt_in) {
        (true, false) => "pods that use a GMSA do not start; all others do",
        (true, true) => "pods that use a GMSA do not start in namespaces that opted in",
        (false, true) => "no pod starts in namespaces that opted in",
        (false, false) => {
            "no pod starts, but for those of kube-system and of the webhook's own namespace: this \
             API server cannot tell pods apart before it calls the webhook (Kubernetes 1.28 can); \
             --namespaces-opt-in limits it to the namespaces that need it"
        }
    };
    Outcome::ok(&WEBHOOK_OUTAGE, format!("while no replica answers, {who}"))
}
