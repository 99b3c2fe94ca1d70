//! The custom resource definition.

use gmsa_cluster::api::answer;
use gmsa_cluster::installation::definition::dropped_keys;
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::{CRD_PRESENT, CRD_SCHEMA, CRD_VERSIONS};
use gmsa_core::names::{GROUP, PLURAL};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::Api;

use crate::failure::Failure;

/// Looks at the definition.
pub async fn examine(client: &Client) -> Result<Vec<Outcome>, Failure> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = format!("{PLURAL}.{GROUP}");
    let object = format!("CustomResourceDefinition {name}");
    match answer("read", object, definitions.get_opt(&name)).await {
        Ok(found) => Ok(judge(found.as_ref())),
        Err(error) if error.is_forbidden() => {
            let words = "you may not read the CustomResourceDefinition";
            Ok([&CRD_PRESENT, &CRD_VERSIONS, &CRD_SCHEMA]
                .map(|check| Outcome::unknown(check, words))
                .into())
        }
        Err(error) => Err(error.into()),
    }
}

fn judge(found: Option<&CustomResourceDefinition>) -> Vec<Outcome> {
    let Some(found) = found else {
        let words = "there is no CustomResourceDefinition";
        return vec![
            Outcome::problem(&CRD_PRESENT, words),
            Outcome::skipped(&CRD_VERSIONS, words),
            Outcome::skipped(&CRD_SCHEMA, words),
        ];
    };
    let status = found.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_ref());
    let established = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition.type_ == "Established" && condition.status == "True");
    let present = if found.metadata.deletion_timestamp.is_some() {
        Outcome::problem(&CRD_PRESENT, "it is being deleted, and every credential spec with it")
    } else if established.is_none() {
        let outcome = Outcome::problem(&CRD_PRESENT, "it is not established");
        conditions.into_iter().flatten().fold(outcome, |outcome, condition| {
            let message = condition.message.as_deref().unwrap_or_default();
            outcome.because(format!("{} {}: {message}", condition.type_, condition.status))
        })
    } else {
        Outcome::ok(&CRD_PRESENT, "it is established")
    };
    let versions = &found.spec.versions;
    let shown: Vec<String> = versions
        .iter()
        .map(|version| {
            let served = if version.served { "served" } else { "not served" };
            let stored = if version.storage { ", stored" } else { "" };
            format!("{} ({served}{stored})", version.name)
        })
        .collect();
    let shown = shown.join(", ");
    let v1 = versions.iter().find(|version| version.name == "v1");
    let old = status
        .and_then(|status| status.stored_versions.as_ref())
        .into_iter()
        .flatten()
        .any(|version| version != "v1");
    let versions = if v1.is_none_or(|version| !version.served) {
        Outcome::problem(&CRD_VERSIONS, format!("v1 is not served: {shown}"))
    } else if v1.is_some_and(|version| !version.storage) {
        Outcome::warning(&CRD_VERSIONS, format!("v1 is not the stored version: {shown}"))
    } else if old {
        Outcome::warning(&CRD_VERSIONS, format!("objects may still be stored as v1alpha1: {shown}"))
            .then(
                "Before a definition without v1alpha1 is applied, write every object once: \
                 `kubectl get gmsacredentialspecs -o json | kubectl replace -f -`. Then say that \
                 it is done: `kubectl patch crd gmsacredentialspecs.windows.k8s.io \
                 --subresource=status --type=merge -p 'status: {storedVersions: [v1]}'`.",
            )
    } else {
        Outcome::ok(&CRD_VERSIONS, shown)
    };
    vec![present, versions, schema(found, v1.is_some())]
}

/// Whether what is applied is kept whole.
fn schema(found: &CustomResourceDefinition, has_v1: bool) -> Outcome {
    if !has_v1 {
        return Outcome::skipped(&CRD_SCHEMA, "there is no version v1");
    }
    let dropped = dropped_keys(found);
    if dropped.is_empty() {
        return Outcome::ok(&CRD_SCHEMA, "it has every key of a credential spec");
    }
    Outcome::problem(&CRD_SCHEMA, format!("the definition drops {}", dropped.join(", ")))
}
