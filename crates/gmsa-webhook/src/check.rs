//! `gmsa-webhook --check`: whether the API server asks the webhooks of this installation.

use std::path::Path;
use std::time::{Duration, Instant};

use gmsa_cluster::api::client::{self, Selection};
use gmsa_cluster::installation::probe::{self, QUESTIONS};

const PAUSE: Duration = Duration::from_millis(500);

/// What the check needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// How long to wait for the answers.
    pub within: Duration,
    /// In which namespace the pods are created, as dry runs.
    pub namespace: String,
    /// Whether the policies of the engine decide, in place of the webhooks.
    pub policies: bool,
}

/// Why the check did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client of the cluster.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// It could not be asked.
    #[error(transparent)]
    Probe(#[from] probe::Error),
    /// The policies did not decide in time.
    #[error(
        "the admission policies do not decide on pods of the namespace {namespace}: {problem}; see \
         kubectl gmsa status"
    )]
    NoDecision {
        /// Where.
        namespace: String,
        /// What is wrong.
        problem: String,
    },
    /// A webhook did not answer in time.
    #[error(
        "the {step} webhook does not answer for pods of the namespace {namespace}: {problem}; see \
         kubectl gmsa status"
    )]
    Silent {
        /// Which.
        step: &'static str,
        /// Where.
        namespace: String,
        /// What is wrong.
        problem: String,
    },
}

/// Asks both webhooks until they answer, or the time is over.
pub async fn run(check: &Check, kubeconfig: Option<&Path>) -> Result<(), Error> {
    let client = client::connect(Selection { kubeconfig, context: None }).await?;
    let namespace = check.namespace.clone();
    let end = Instant::now() + check.within;
    if check.policies {
        while let Some(problem) = probe::ask_policies(&client, &namespace, false).await? {
            if Instant::now() >= end {
                return Err(Error::NoDecision { namespace, problem });
            }
            tokio::time::sleep(PAUSE).await;
        }
        tracing::info!(namespace, "the policies decide");
        return Ok(());
    }
    for question in &QUESTIONS {
        while let Some(problem) = probe::ask(&client, &namespace, question).await? {
            if Instant::now() >= end {
                return Err(Error::Silent { step: question.step, namespace, problem });
            }
            tokio::time::sleep(PAUSE).await;
        }
        tracing::info!(step = question.step, namespace, "the webhook answers");
    }
    Ok(())
}
