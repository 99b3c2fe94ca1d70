//! Whether the API server accepts the tokens of the webhook's pods.

use gmsa_cluster::api::objects::{Objects, kinds};
use gmsa_cluster::api::value::text;
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::WEBHOOK_TOKEN;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use k8s_openapi::jiff::Timestamp;

use super::facts::{Facts, one};
use super::replicas::Replicas;
use crate::failure::Failure;
use crate::installation::token::older;

/// For how long after a service account is made a replica may not have noticed yet that its token is
/// rejected, in seconds: it opens its watches anew within 45.
const NOTICED: i64 = 90;

/// Looks at the service account, and at what the replicas say.
pub async fn examine(
    objects: &Objects,
    facts: &Facts,
    replicas: &Replicas,
) -> Result<Outcome, Failure> {
    let (Some(deployment), Some((namespace, name))) =
        (facts.live_deployment(), facts.service_account())
    else {
        return Ok(match &facts.deployment {
            Err(why) => Outcome::unknown(&WEBHOOK_TOKEN, why),
            Ok(_) => Outcome::skipped(&WEBHOOK_TOKEN, "no Deployment says as whom it runs"),
        });
    };
    let object = format!("ServiceAccount {namespace}/{name}");
    let account = match one(objects, kinds::SERVICE_ACCOUNT, namespace, name).await? {
        Ok(Some(account)) => account,
        Ok(None) => {
            let words = "it does not exist: the tokens of the pods are rejected, and new pods are \
                         not created";
            let outcome = Outcome::problem(&WEBHOOK_TOKEN, words).on(object);
            return Ok(if facts.ours {
                outcome.then("Run `kubectl gmsa install`, which makes it and restarts the pods.")
            } else {
                outcome
            });
        }
        Err(why) => return Ok(Outcome::unknown(&WEBHOOK_TOKEN, why).on(object)),
    };
    let account: ServiceAccount = serde_json::from_value(account)
        .map_err(|error| Failure::cluster(format!("failed to read {object}: {error}")))?;
    let pods: Vec<Pod> = facts
        .workloads
        .iter()
        .filter(|one| {
            text(one, "/kind") == "Pod"
                && text(one, "/metadata/namespace") == namespace
                && text(one, "/spec/serviceAccountName") == name
        })
        .filter_map(|pod| serde_json::from_value(pod.clone()).ok())
        .collect();
    let age = account.metadata.creation_timestamp.as_ref();
    let age = age.map_or(i64::MAX, |made| Timestamp::now().as_second() - made.0.as_second());
    let mut rejected: Vec<String> = older(&pods, &account)
        .filter(|pod| age < NOTICED || rejected_for(replicas, pod) != Some(0))
        .collect();
    let reported = replicas.iter().flatten().map(|one| one.pod.as_str());
    let reported = reported.filter(|pod| rejected_for(replicas, pod) > Some(0));
    rejected.extend(reported.map(str::to_owned));
    rejected.sort();
    rejected.dedup();
    let restart = format!(
        "Restart the pods: `kubectl rollout restart deployment/{} -n {namespace}`. \
         `kubectl gmsa install` does so too where the account is newer than the pods.",
        text(deployment, "/metadata/name")
    );
    Ok(if rejected.is_empty() {
        Outcome::ok(&WEBHOOK_TOKEN, "no replica has a token that is rejected")
    } else {
        let words = format!("the API server rejects the token of {}", rejected.join(", "));
        Outcome::problem(&WEBHOOK_TOKEN, words).then(restart)
    }
    .on(object))
}

/// For how long a replica has been rejected, in seconds, if it says so.
fn rejected_for(replicas: &Replicas, pod: &str) -> Option<u64> {
    let replica = replicas.iter().flatten().find(|one| one.pod == pod)?;
    replica.metrics.as_ref()?.token_rejected_seconds
}
