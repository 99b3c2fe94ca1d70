//! What the caller may do, asked before anything is changed.

use gmsa_cluster::api::answer;
use gmsa_cluster::api::apply::shown;
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use crate::failure::Failure;

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
    Ok((!allowed).then(|| format!("you may not {verb} {} ({resource})", shown(object))))
}

/// The resource of a kind: those that install makes follow the rule.
fn plural(kind: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{lower}s"),
    }
}
