//! The source of facts: a cluster, or a directory of manifests.

use std::time::{Duration, Instant};

use gmsa_cluster::audit::references::Usage;
use gmsa_cluster::cache::Cluster;
use gmsa_core::admission::{Right, SpecFact};

use super::store_dir::StoreDir;

/// A source of facts.
#[derive(Clone)]
pub enum Source {
    /// A cluster's API server.
    Cluster(Cluster),
    /// Manifests in a directory.
    Directory(StoreDir),
}

impl Source {
    /// Whether a known fact is as good as a live read.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Directory(_))
    }

    pub(crate) fn ready(&self) -> Result<(), String> {
        match self {
            Self::Cluster(cluster) => cluster.ready(),
            Self::Directory(_) => Ok(()),
        }
    }

    /// For how long the API server has been rejecting the server's token; zero if it does not.
    pub(crate) fn rejected_for(&self) -> Duration {
        match self {
            Self::Cluster(cluster) => cluster.rejected_for().unwrap_or_default(),
            Self::Directory(_) => Duration::ZERO,
        }
    }

    /// How many credential specs are known, how long ago the API server was last heard, and
    /// whether watching is forbidden.
    pub(crate) fn state(&self) -> (usize, Option<Duration>, bool) {
        match self {
            Self::Cluster(cluster) => (cluster.known(), cluster.sync_age(), cluster.is_live_mode()),
            Self::Directory(directory) => (directory.known(), Some(Duration::ZERO), false),
        }
    }

    pub(crate) fn spec_now(&self, name: &str, now: Instant) -> Option<SpecFact> {
        match self {
            Self::Cluster(cluster) => cluster.credential_spec_now(name, now),
            Self::Directory(directory) => Some(directory.spec(name)),
        }
    }

    pub(crate) fn spec_last_known(&self, name: &str) -> Option<SpecFact> {
        match self {
            Self::Cluster(cluster) => cluster.credential_spec_last_known(name),
            Self::Directory(directory) => Some(directory.spec(name)),
        }
    }

    pub(crate) async fn spec_live(&self, name: &str, deadline: Instant) -> SpecFact {
        match self {
            Self::Cluster(cluster) => cluster.credential_spec_live(name, deadline).await,
            Self::Directory(directory) => directory.spec(name),
        }
    }

    pub(crate) fn right_now(
        &self,
        namespace: &str,
        account: &str,
        name: &str,
        now: Instant,
    ) -> Option<Right> {
        match self {
            Self::Cluster(cluster) => cluster.right_now(namespace, account, name, now),
            Self::Directory(directory) => Some(directory.right(namespace, account, name)),
        }
    }

    pub(crate) async fn right(
        &self,
        namespace: &str,
        account: &str,
        name: &str,
        deadline: Instant,
    ) -> Right {
        match self {
            Self::Cluster(cluster) => cluster.right(namespace, account, name, deadline).await,
            Self::Directory(directory) => directory.right(namespace, account, name),
        }
    }

    /// The users of a credential spec; none if only credential specs and rights are known.
    pub(crate) async fn usage(&self, name: &str, deadline: Instant) -> Option<Usage> {
        match self {
            Self::Cluster(cluster) => Some(cluster.usage(name, deadline).await),
            Self::Directory(_) => None,
        }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::Cluster(cluster) => cluster.names(),
            Self::Directory(directory) => directory.names(),
        }
    }
}
