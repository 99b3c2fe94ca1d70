//! The installation that is in the cluster: its options, and whether it answers.

pub mod journal;
pub mod leftover;
pub mod pods;
pub mod probe;
pub mod removal;
pub mod signature;
pub mod token;

use gmsa_cluster::api::answer;
use gmsa_cluster::installation::{NamespaceRequirement, Options};
use gmsa_core::names::{NAME, OPTIONS, TAKEOVER};
use gmsa_core::rbac::{LabelSelector, Requirement};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use kube::{Client, ResourceExt as _};

use crate::failure::Failure;
use journal::Journal;

/// By which cert-manager names the Certificate on the Secret that it fills.
pub const FILLED_BY: &str = "cert-manager.io/certificate-name";

/// The options of the last install; none if there was none.
pub async fn kept_options(client: &Client, namespace: &str) -> Result<Option<Options>, Failure> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let deployment = format!("Deployment {namespace}/{NAME}");
    let found = answer("read the", deployment, deployments.get_opt(NAME)).await?;
    let Some(found) = found else { return Ok(None) };
    let Some(text) = found.annotations().get(OPTIONS) else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| {
        Failure::cluster(format!(
            "failed to read the annotation {OPTIONS} of the Deployment {namespace}/{NAME}: \
             {error}; delete the annotation, and give the options again"
        ))
    })
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

/// Whether a namespace's labels are such that its pods are sent.
pub fn sent(requirements: &[NamespaceRequirement]) -> LabelSelector {
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
