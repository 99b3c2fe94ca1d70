//! Where commands wait for the cluster and the directory.

use gmsa_cluster::api::client::{self, Selection};
use gmsa_cluster::api::credential_specs::CredentialSpecs;
use kube::Client;
use tokio::runtime::Runtime;

use super::Failure;
use crate::cli::shared::ClusterFlags;

/// What runs requests, one after the other.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Cluster(format!("failed to start the runtime: {error}")))
}

/// Runs one thing to its end.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(work)
}

/// A client of the cluster that the flags name.
pub(super) async fn connect(flags: &ClusterFlags) -> Result<Client, Failure> {
    let selection =
        Selection { kubeconfig: flags.kubeconfig.as_deref(), context: flags.context.as_deref() };
    Ok(client::connect(selection).await?)
}

/// The credential specs of the cluster that the flags name.
pub(super) async fn credential_specs(flags: &ClusterFlags) -> Result<CredentialSpecs, Failure> {
    Ok(CredentialSpecs::new(connect(flags).await?))
}
