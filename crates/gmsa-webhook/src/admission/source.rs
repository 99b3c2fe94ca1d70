//! The source of facts: a cluster, or a directory of manifests.

use std::time::{Duration, Instant};

use gmsa_cluster::audit::references::References;
use gmsa_cluster::cache::ClusterFacts;
use gmsa_core::admission::{Right, SpecFact};

use super::store_dir::StoreDir;

/// A source of facts.
#[derive(Clone)]
pub enum Source {
    /// A cluster's API server.
    Cluster(ClusterFacts),
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
            Self::Cluster(cluster) => (
                cluster.credential_spec_count(),
                cluster.sync_age(),
                cluster.is_watching_forbidden(),
            ),
            Self::Directory(directory) => (directory.known(), Some(Duration::ZERO), false),
        }
    }

    pub(crate) fn cached_spec(&self, name: &str, now: Instant) -> Option<SpecFact> {
        match self {
            Self::Cluster(cluster) => cluster.cached_credential_spec(name, now),
            Self::Directory(directory) => Some(directory.spec(name)),
        }
    }

    pub(crate) fn last_known_spec(&self, name: &str) -> Option<SpecFact> {
        match self {
            Self::Cluster(cluster) => cluster.last_known_credential_spec(name),
            Self::Directory(directory) => Some(directory.spec(name)),
        }
    }

    pub(crate) async fn read_spec(&self, name: &str, deadline: Instant) -> SpecFact {
        match self {
            Self::Cluster(cluster) => cluster.read_credential_spec(name, deadline).await,
            Self::Directory(directory) => directory.spec(name),
        }
    }

    pub(crate) fn cached_right(
        &self,
        namespace: &str,
        account: &str,
        name: &str,
        now: Instant,
    ) -> Option<Right> {
        match self {
            Self::Cluster(cluster) => cluster.cached_right(namespace, account, name, now),
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
            Self::Cluster(cluster) => {
                cluster.review_right(namespace, account, name, deadline).await
            }
            Self::Directory(directory) => directory.right(namespace, account, name),
        }
    }

    /// The users of a credential spec; none if only credential specs and rights are known.
    pub(crate) async fn references(&self, name: &str, deadline: Instant) -> Option<References> {
        match self {
            Self::Cluster(cluster) => Some(cluster.references(name, deadline).await),
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
