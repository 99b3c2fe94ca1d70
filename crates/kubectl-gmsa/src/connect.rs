//! The cluster, and the directory, that a command works on.

pub mod directory;

use gmsa_cluster::api::answer;
use gmsa_cluster::api::client::{self, Selection};
use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::installation::Version;
use gmsa_core::names::FIELD_MANAGER;
use kube::Client;
use tokio::runtime::Runtime;

use crate::cli::shared::ClusterFlags;
use crate::failure::Failure;

/// A client, and what runs its requests.
pub struct Connection {
    pub runtime: Runtime,
    pub client: Client,
}

impl Connection {
    pub fn open(args: &ClusterFlags) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let client = runtime.block_on(connect(args))?;
        Ok(Self { runtime, client })
    }

    /// Fails if this namespace does not exist: it may be a typing error, and what a command finds in it is
    /// nothing. What may not be read is taken to exist.
    pub fn expect_namespace(&self, namespace: Option<&str>) -> Result<(), Failure> {
        let Some(namespace) = namespace else { return Ok(()) };
        let of = Reference::cluster(kinds::NAMESPACE, namespace);
        match self.runtime.block_on(self.objects(false).get(&of)) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Failure::Cluster(format!(
                "failed to find the namespace {namespace}: the cluster has none of this name; \
                 check its spelling, and the context"
            ))),
            Err(error) if error.is_forbidden() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The objects of the cluster; with `dry_run` nothing that is written is stored.
    pub fn objects(&self, dry_run: bool) -> Objects {
        Objects::new(self.client.clone(), FIELD_MANAGER, dry_run)
    }
}

/// What runs requests, one after the other.
pub fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Cluster(format!("failed to start the runtime: {error}")))
}

/// Runs one thing to its end.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(work)
}

/// A client of the cluster that the flags name.
pub async fn connect(flags: &ClusterFlags) -> Result<Client, Failure> {
    let selection =
        Selection { kubeconfig: flags.kubeconfig.as_deref(), context: flags.context.as_deref() };
    Ok(client::connect(selection).await?)
}

/// The objects of the cluster that the flags name.
pub async fn objects(flags: &ClusterFlags) -> Result<Objects, Failure> {
    Ok(Objects::new(connect(flags).await?, FIELD_MANAGER, false))
}

/// The version of the API server.
pub async fn server_version(client: &Client) -> Result<Version, Failure> {
    let asked = client.apiserver_version();
    let info = answer("read", "the version of the API server", asked).await?;
    format!("{}.{}", info.major, info.minor).parse().map_err(Failure::Cluster)
}
