//! Pods whose tokens the API server rejects, because their service account was deleted since: tokens
//! are bound to the account's UID. An account of the same name made later changes nothing for them,
//! nor does a restart of their containers: the kubelet keeps a pod's token until it is due for
//! renewal, at most an hour (kubernetes issue 132802). New pods get new tokens.

use gmsa_cluster::api::client::why;
use gmsa_core::names::NAME;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};

use super::pods;
use crate::failure::Failure;
use crate::output::printer;

/// The names of the pods that were made before their service account was.
pub fn older<'a>(
    pods: impl IntoIterator<Item = &'a Pod>,
    account: &ServiceAccount,
) -> impl Iterator<Item = String> {
    let made = account.metadata.creation_timestamp.as_ref().map(|time| time.0);
    pods.into_iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none())
        .filter(move |pod| {
            let pod = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
            pod.zip(made).is_some_and(|(pod, account)| pod < account)
        })
        .map(Pod::name_any)
}

/// Restarts the pods of the installation if one is older than the service account.
pub async fn renew(client: &Client, namespace: &str) -> Result<(), Failure> {
    let read = |what: &str, error: &kube::Error| {
        Failure::cluster(format!("failed to read {what} in {namespace}: {}", why(error)))
    };
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let account = accounts.get(NAME).await;
    let account = account.map_err(|error| read(&format!("ServiceAccount {NAME}"), &error))?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let listed = pods.list(&ListParams::default().labels(&pods::selector())).await;
    let listed = listed.map_err(|error| read("the pods", &error))?;
    let old: Vec<String> = older(&listed.items, &account).collect();
    if old.is_empty() {
        return Ok(());
    }
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    deployments.restart(NAME).await.map_err(|error| {
        Failure::cluster(format!(
            "failed to restart the Deployment {namespace}/{NAME}, whose pods have tokens of a \
             service account that was deleted: {}",
            why(&error)
        ))
    })?;
    printer::data(&format!(
        "deployment/{NAME} restarted: {} had tokens of a service account that was deleted\n",
        old.join(", ")
    ))
}
