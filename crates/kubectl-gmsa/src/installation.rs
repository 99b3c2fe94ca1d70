//! The installation that is in the cluster: its options, and whether it answers.

pub mod helm;
pub mod journal;
pub mod leftover;
pub mod pods;
pub mod probe;
pub mod removal;
pub mod rights;
pub mod signature;
pub mod token;

use gmsa_cluster::api::answer;
use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::{labels, text};
use gmsa_cluster::installation::engine::InForce;
use gmsa_cluster::installation::identify::is_ours;
use gmsa_cluster::installation::{Engine, Options};
use gmsa_core::names::{CERT_MANAGER_CA, ENGINE_CHECK, FIELD_MANAGER, NAME, OPTIONS, TAKEOVER};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use kube::{Client, ResourceExt as _};
use serde_json::Value;

use crate::failure::Failure;
use journal::Journal;

/// By which cert-manager names the Certificate on the Secret that it fills.
pub const FILLED_BY: &str = "cert-manager.io/certificate-name";

/// The label whose value at a Secret that the server fills is [`NAME`].
pub const MADE_BY: &str = "app.kubernetes.io/name";

/// Whether the server or cert-manager filled this Secret for an installation.
pub fn is_made(secret: &Value) -> bool {
    let has = |path: &str, key: &str| labels(secret, path).remove(key).unwrap_or_default();
    has("/metadata/labels", MADE_BY) == NAME
        || [NAME, CERT_MANAGER_CA].contains(&&*has("/metadata/annotations", FILLED_BY))
}

/// The options of the last install; none if there was none.
pub async fn kept_options(client: &Client, namespace: &str) -> Result<Option<Options>, Failure> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let deployment = format!("Deployment {namespace}/{NAME}");
    let found = answer("read the", deployment, deployments.get_opt(NAME)).await?;
    let Some(found) = found else { return of_policies(client, namespace).await };
    let Some(text) = found.annotations().get(OPTIONS) else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| {
        Failure::cluster(format!(
            "failed to read the annotation {OPTIONS} of the Deployment {namespace}/{NAME}: \
             {error}; delete the annotation, and give the options again"
        ))
    })
}

/// What the policies of the engine say of their installation, where there is no Deployment: those that read
/// an index are of one with the defaults, those that have the credential specs in them keep its options.
async fn of_policies(client: &Client, namespace: &str) -> Result<Option<Options>, Failure> {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    let policy = Reference::cluster(kinds::VALIDATING_POLICY, ENGINE_CHECK);
    let found = match objects.get(&policy).await {
        Err(error) if error.is_forbidden() => None,
        found => found?,
    };
    if found.as_ref().is_some_and(is_ours) {
        return Ok(Some(Options {
            namespace: namespace.to_owned(),
            engine: Engine::Policy,
            ..Options::default()
        }));
    }
    let in_force = match InForce::read(&objects).await {
        Err(error) if error.is_forbidden() => None,
        read => read?,
    };
    Ok(in_force.map(|in_force| in_force.options()))
}

/// A takeover that was interrupted is finished first.
pub async fn refuse_unfinished(client: &Client, verb: &str) -> Result<(), Failure> {
    if Journal::read(client).await?.is_none() {
        return Ok(());
    }
    Err(Failure::Cluster(format!(
        "failed to {verb}: a takeover was interrupted (Namespace {TAKEOVER}); finish it by \
         kubectl gmsa install --adopt; nothing was changed"
    )))
}

/// An installation has names in the whole cluster, so there is one: it is changed and removed where it is.
pub async fn refuse_elsewhere(client: &Client, namespace: &str, verb: &str) -> Result<(), Failure> {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    let binding = Reference::cluster(kinds::CLUSTER_ROLE_BINDING, NAME);
    let binding = objects.get(&binding).await?.filter(is_ours);
    let subjects = binding.as_ref().and_then(|binding| binding["subjects"].as_array());
    for there in subjects.into_iter().flatten().map(|subject| text(subject, "/namespace")) {
        let deployment = Reference::namespaced(kinds::DEPLOYMENT, there, NAME);
        // What is left of a namespace that was deleted stops nobody.
        if there != namespace && objects.get(&deployment).await?.is_some_and(|one| is_ours(&one)) {
            return Err(Failure::Cluster(format!(
                "failed to {verb} in the namespace {namespace}: the installation is in {there}; name \
                 that one (--namespace {there}), or move it: kubectl gmsa uninstall --namespace {there}, \
                 then install again; nothing was changed"
            )));
        }
    }
    Ok(())
}
