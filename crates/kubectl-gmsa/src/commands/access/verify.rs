//! What the API server says of the same questions.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use gmsa_cluster::review_access;
use gmsa_core::admission::Right;
use kube::Client;
use tokio::task::JoinSet;

use crate::commands::Failure;
use crate::printer;

/// How many questions are under way at once.
const AT_ONCE: usize = 16;
/// From how many questions on somebody who waits is told.
const MANY: usize = 500;
/// How often an answer that differs is asked for again: the API server's own view lags behind.
const ROUNDS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// Credential spec, namespace and service account.
pub(super) type Pair = [String; 3];

/// Asks about every pair, with what the roles and bindings say of it.
pub(super) async fn all(
    client: &Client,
    pairs: BTreeMap<Pair, bool>,
) -> Result<BTreeMap<Pair, bool>, Failure> {
    if pairs.len() > MANY && stderr().is_terminal() {
        printer::note(&format!("asking the API server about {} rights", pairs.len()));
    }
    let mut answers = BTreeMap::new();
    let mut open: Vec<Pair> = pairs.keys().cloned().collect();
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        answers.extend(ask(client, open).await?);
        open = pairs
            .iter()
            .filter(|(pair, expected)| answers.get(*pair) != Some(*expected))
            .map(|(pair, _)| pair.clone())
            .collect();
        if open.is_empty() {
            break;
        }
    }
    Ok(answers)
}

async fn ask(client: &Client, pairs: Vec<Pair>) -> Result<Vec<(Pair, bool)>, Failure> {
    let mut waiting = pairs.into_iter();
    let mut asked = JoinSet::new();
    let mut answers = Vec::new();
    loop {
        while asked.len() < AT_ONCE
            && let Some(pair) = waiting.next()
        {
            let client = client.clone();
            asked.spawn(async move {
                let [name, namespace, account] = &pair;
                let right = review_access(client, namespace, account, name).await;
                (pair, right)
            });
        }
        match asked.join_next().await {
            None => return Ok(answers),
            Some(Ok((pair, Right::Allowed))) => answers.push((pair, true)),
            Some(Ok((pair, Right::Denied))) => answers.push((pair, false)),
            Some(Ok((_, Right::Unknown(failure)))) => {
                return Err(Failure::Cluster(format!(
                    "{}; verifying needs the right to create localsubjectaccessreviews; \
                     --no-verify leaves it out",
                    failure.message
                )));
            }
            Some(Err(error)) => {
                return Err(Failure::Cluster(format!("failed to wait for the reviews: {error}")));
            }
        }
    }
}
