//! Whether admission answers, end to end.

use gmsa_cluster::installation::{Engine, Options};
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::ADMISSION_ANSWERS;
use kube::Client;

use super::facts::Facts;
use crate::installation::probe::{asked_once, policies_asked_once, remedy};

/// Creates pods that must be denied, as a dry run.
pub async fn examine(client: &Client, facts: &Facts, options: Option<Options>) -> Outcome {
    let opt_in = |options: &Options| {
        let selected = |hook: &serde_json::Value| {
            hook.pointer("/namespaceSelector/matchExpressions/0/operator")
                .is_some_and(|operator| operator == "In")
        };
        options.namespaces_opt_in || facts.hooks().any(|(_, hook)| selected(hook))
    };
    let mut options = options.unwrap_or_default();
    if options.engine == Engine::Policy {
        return of_policies(client, &options).await;
    }
    options.namespaces_opt_in = opt_in(&options);
    match asked_once(client, &options).await {
        Ok(None) => Outcome::skipped(&ADMISSION_ANSWERS, "no namespace sends its pods"),
        Ok(Some(problems)) if problems.is_empty() => {
            Outcome::ok(&ADMISSION_ANSWERS, "both webhooks denied what must be denied")
        }
        Ok(Some(problems)) => {
            let steps: Vec<&str> = problems.iter().map(|(step, _)| *step).collect();
            let words = format!("no answer came from the {} webhook", steps.join(" and the "));
            let outcome = Outcome::problem(&ADMISSION_ANSWERS, words);
            let hint = problems.iter().map(|(_, problem)| remedy(problem).trim());
            let hint = hint.into_iter().find(|hint| !hint.is_empty()).map(str::to_owned);
            let outcome = problems
                .iter()
                .map(|(step, problem)| format!("{step}: {problem}"))
                .fold(outcome, Outcome::because);
            match hint {
                Some(hint) => outcome.then(hint),
                None => outcome,
            }
        }
        // Another webhook denies it in other words.
        Err(failure) if failure.to_string().contains("denied the request") => {
            Outcome::ok(&ADMISSION_ANSWERS, "a webhook denied what must be denied")
        }
        Err(failure) => Outcome::unknown(&ADMISSION_ANSWERS, failure.to_string()),
    }
}

/// The same of the policies of the engine, whether they read an index or have the credential specs in them.
async fn of_policies(client: &Client, options: &Options) -> Outcome {
    match policies_asked_once(client, options).await {
        Ok(None) => Outcome::skipped(&ADMISSION_ANSWERS, "no namespace has its pods checked"),
        Ok(Some(None)) => {
            Outcome::ok(&ADMISSION_ANSWERS, "the policies denied what must be denied")
        }
        Ok(Some(Some(problem))) => {
            let words = "the policies do not decide on pods";
            Outcome::problem(&ADMISSION_ANSWERS, words).because(problem)
        }
        Err(failure) => Outcome::unknown(&ADMISSION_ANSWERS, failure.to_string()),
    }
}
