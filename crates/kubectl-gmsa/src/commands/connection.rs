//! The cluster that a command works on.

use gmsa_cluster::api::objects::{Error, Objects};
use kube::Client;
use tokio::runtime::Runtime;

use super::{Failure, runtime};
use crate::cli::shared::ClusterFlags;

/// Who is named as the writer of fields, and the value of the label on what we made.
pub(super) const MANAGER: &str = "kubectl-gmsa";

/// A client, and what runs its requests.
pub(super) struct Connection {
    pub(super) runtime: Runtime,
    pub(super) client: Client,
}

impl Connection {
    pub(super) fn open(args: &ClusterFlags) -> Result<Self, Failure> {
        let runtime = runtime::runtime()?;
        let client = runtime.block_on(runtime::connect(args))?;
        Ok(Self { runtime, client })
    }

    /// The objects of the cluster; with `dry_run` nothing that is written is stored.
    pub(super) fn objects(&self, dry_run: bool) -> Objects {
        Objects::new(self.client.clone(), MANAGER, dry_run)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Cluster(error.to_string())
    }
}
