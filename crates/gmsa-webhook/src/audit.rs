//! `gmsa-webhook audit`: one audit of the cluster, whose result is kept in it.

use gmsa_cluster::api;
use gmsa_cluster::api::client::{self, Selection};
use gmsa_cluster::audit::{self, Counts, Results, Scope, publish};
use gmsa_core::finding::Severity;
use k8s_openapi::jiff::Timestamp;
use kube::Client;

use crate::config::{Config, FactSource};
use crate::metrics::Metrics;

/// Why there is no result, or none that is kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client of the cluster.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The cluster could not be audited.
    #[error("failed to audit the cluster: {0}")]
    Audit(#[from] audit::Error),
    /// Something could not be read.
    #[error(
        "failed to audit the whole cluster: {first}, and {more} similar errors; the findings are stored, \
         but nobody can say that it is all"
    )]
    Incomplete {
        /// The first thing that could not be read.
        first: String,
        /// How many more there are.
        more: usize,
    },
    /// The result could not be written.
    #[error("failed to keep the result of the audit: {0}")]
    Publish(#[from] api::Error),
}

/// Audits the cluster and stores the result. Findings are not a failure; what could not be read
/// is one.
pub async fn run(config: &Config) -> Result<(), Error> {
    let kubeconfig = match &config.facts {
        FactSource::Cluster { kubeconfig } => kubeconfig.as_deref(),
        FactSource::Directory(_) => None,
    };
    let client = client::connect(Selection { kubeconfig, context: None }).await?;
    let namespace =
        config.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
    let progress = |pods: usize| tracing::debug!(pods, "looked at");
    let audit = audit::run(client.clone(), Scope::default(), &progress).await?;
    for unread in &audit.unread {
        tracing::warn!(error = unread, "the audit is not complete");
    }
    let published = publish(&client, &namespace, &audit, Timestamp::now()).await?;
    if let Some(problem) = &published.problem {
        tracing::warn!(
            error = problem,
            "there are no policy reports; the ConfigMap has the findings"
        );
    }
    tracing::info!(
        pods = audit.pods,
        gmsa_pods = audit.gmsa_pods,
        errors = audit.count(Severity::Error),
        warnings = audit.count(Severity::Warning),
        infos = audit.count(Severity::Info),
        config_map = published.config_map,
        policy_reports = published.policy_reports,
        reports_api = published.reports_api,
        left_out = published.left_out,
        "audited"
    );
    match audit.unread.split_first() {
        None => Ok(()),
        Some((first, rest)) => Err(Error::Incomplete { first: first.clone(), more: rest.len() }),
    }
}

/// Exports what the last audit counted, for as long as it is polled.
pub async fn export(client: Client, namespace: Option<String>, metrics: std::sync::Arc<Metrics>) {
    let results = Results::new(&client, namespace.as_deref());
    results.follow(|counts: Option<Counts>| metrics.audited(counts)).await;
}
