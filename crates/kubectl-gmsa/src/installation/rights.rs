//! What the caller may do, asked before anything is changed.

use gmsa_cluster::api::answer;
use gmsa_cluster::api::apply::shown;
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use crate::failure::Failure;

/// How the message of a missing right begins.
const MAY_NOT: &str = "you may not";

/// The message if the caller may not do this to the object.
pub async fn missing_right(
    client: &Client,
    verb: &str,
    object: &Value,
) -> Result<Option<String>, Failure> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (group, _) = text("/apiVersion").split_once('/').unwrap_or_default();
    let resource = plural(text("/kind"));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": {
            "verb": verb,
            "group": group,
            "resource": resource,
            "name": text("/metadata/name"),
            "namespace": text("/metadata/namespace"),
        }},
    });
    let review: SelfSubjectAccessReview =
        serde_json::from_value(review).map_err(Failure::cluster)?;
    let params = PostParams::default();
    let answer = answer("review", "our own rights", reviews.create(&params, &review)).await?;
    let allowed = answer.status.is_some_and(|status| status.allowed);
    Ok((!allowed).then(|| format!("{MAY_NOT} {verb} {} ({resource})", shown(object))))
}

/// Stops before anything is done, because of these: each is a line of the error, and the last says what is
/// left as it was.
pub fn refuse(mut problems: Vec<String>, left: &str) -> Result<(), Failure> {
    if problems.is_empty() {
        return Ok(());
    }
    let lacks_right = problems.iter().any(|problem| problem.starts_with(MAY_NOT));
    let ask =
        if lacks_right { "; an administrator of the cluster can grant these rights" } else { "" };
    problems.push(format!("{left}{ask}"));
    Err(Failure::Cluster(problems.join("\nerror: ")))
}

/// The resource of a kind: those that install makes follow the rule.
fn plural(kind: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{lower}s"),
    }
}
