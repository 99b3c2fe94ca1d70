//! What is there before: an installation of ours, one of somebody else, and our own rights.

use gmsa_cluster::api::apply::{Change, shown};
use gmsa_cluster::api::client::why;
use gmsa_cluster::installation::{NAME, PART_OF};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use kube::api::{Api, ListParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Another webhook for the same pods is not built over: two would take turns at every object.
pub async fn refuse_foreign(client: &Client, namespace: &str) -> Result<(), Failure> {
    let mutating: Api<MutatingWebhookConfiguration> = Api::all(client.clone());
    let validating: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let all = ListParams::default();
    let read = |error: kube::Error| {
        Failure::cluster(format!("failed to look for an existing installation: {}", why(&error)))
    };
    let mut found = Vec::new();
    for one in mutating.list(&all).await.map_err(read)? {
        let services = one.webhooks.iter().flatten().filter_map(|hook| {
            hook.client_config.service.as_ref().map(|service| service.name.clone())
        });
        if !ours(&one) && is_gmsa(&one.name_any(), services) {
            found.push(format!("MutatingWebhookConfiguration {}", one.name_any()));
        }
    }
    for one in validating.list(&all).await.map_err(read)? {
        let services = one.webhooks.iter().flatten().filter_map(|hook| {
            hook.client_config.service.as_ref().map(|service| service.name.clone())
        });
        if !ours(&one) && is_gmsa(&one.name_any(), services) {
            found.push(format!("ValidatingWebhookConfiguration {}", one.name_any()));
        }
    }
    if let Some(one) = deployments.get_opt(NAME).await.map_err(read)?
        && !ours(&one)
    {
        found.push(format!("Deployment {namespace}/{NAME}"));
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::Cluster(format!(
        "failed to install: there is another GMSA webhook: {}; take over from it with --adopt \
         (--adopt --dry-run=server shows what that would do), or keep it and put our image into \
         its Deployment (docs/operations.md); nothing was changed",
        found.join(", ")
    )))
}

fn ours(object: &impl kube::ResourceExt) -> bool {
    object.labels().get(PART_OF.0).is_some_and(|value| value == PART_OF.1)
}

pub fn is_gmsa(name: &str, services: impl Iterator<Item = String>) -> bool {
    name.contains("gmsa") || services.into_iter().any(|service| service.contains("gmsa"))
}

/// What we may not do although it is needed. A dry run finds out for what is there; for what is to
/// be created the API server is asked.
pub async fn missing_rights(
    client: &Client,
    changes: &[(&Value, Change)],
) -> Result<Vec<String>, Failure> {
    let mut missing = Vec::new();
    for (object, change) in changes {
        if *change == Change::Created {
            for verb in ["create", "patch"] {
                missing.extend(missing_right(client, verb, object).await?);
            }
        }
    }
    Ok(missing)
}

/// What is told if we may not do this to the object.
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
    let answer = reviews.create(&PostParams::default(), &review).await;
    let answer = answer.map_err(|error| {
        Failure::cluster(format!("failed to ask for our own rights: {}", why(&error)))
    })?;
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
