//! Where commands wait for the cluster and the directory.

use gmsa_cluster::client::{self, Selection};
use gmsa_cluster::credential_specs::CredentialSpecs;

use super::Failure;
use crate::cli::shared::ClusterFlags;

/// Runs one thing to its end.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Cluster(format!("failed to start the runtime: {error}")))?
        .block_on(work)
}

/// The credential specs of the cluster that the flags name.
pub(super) async fn credential_specs(flags: &ClusterFlags) -> Result<CredentialSpecs, Failure> {
    let selection =
        Selection { kubeconfig: flags.kubeconfig.as_deref(), context: flags.context.as_deref() };
    Ok(CredentialSpecs::new(client::connect(selection).await?))
}
