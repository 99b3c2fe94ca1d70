//! The API server's answers to the same questions.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use gmsa_cluster::api::access_review;
use gmsa_core::printable::counted;
use kube::Client;

use crate::failure::Failure;
use crate::output::printer;

/// From how many access reviews on a note says how long it may take.
const MANY: usize = 500;
/// How often a review with a differing answer is repeated: the API server's own view lags behind.
const ROUNDS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// Credential spec, namespace and service account.
pub type Pair = [String; 3];

/// Asks about every pair, and compares with the roles and bindings.
pub async fn all(
    client: &Client,
    pairs: BTreeMap<Pair, Option<bool>>,
) -> Result<BTreeMap<Pair, bool>, Failure> {
    if pairs.len() > MANY && stderr().is_terminal() {
        printer::note(&format!("asking the API server about {}", counted(pairs.len(), "right")));
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
            .filter(|(pair, expected)| {
                expected.is_some_and(|expected| answers.get(*pair) != Some(&expected))
            })
            .map(|(pair, _)| pair.clone())
            .collect();
        if open.is_empty() {
            break;
        }
    }
    Ok(answers)
}

async fn ask(client: &Client, pairs: Vec<Pair>) -> Result<Vec<(Pair, bool)>, Failure> {
    let asked = pairs.into_iter().map(|[name, namespace, account]| [namespace, account, name]);
    let answers = access_review::reviews(client, asked).await.map_err(|why| {
        let needed = if why.contains("(code 403)") {
            "verifying needs the right to create localsubjectaccessreviews; "
        } else {
            ""
        };
        Failure::Cluster(format!("{why}; {needed}--no-verify leaves the question out"))
    })?;
    let pair = |[namespace, account, name]: [String; 3]| [name, namespace, account];
    Ok(answers.into_iter().map(|(one, allowed)| (pair(one), allowed)).collect())
}
