//! Whether the API server asks the webhooks, and they answer: pods that must be denied, created as a
//! dry run.

use gmsa_core::names::{ENGINE_CHECK, ENGINE_EXPAND, ENGINE_GUARD, PROBE, PROBE_LABEL};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use serde_json::json;

use super::engine::name_of;
use crate::api::answer;

/// A field that the server refuses, and the words by which one knows that it was the server.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Which of the two steps answers it.
    pub step: &'static str,
    field: &'static str,
    value: &'static str,
    answer: &'static str,
}

/// One question for each step.
pub const QUESTIONS: [Question; 2] = [
    Question {
        step: "mutating",
        field: "gmsaCredentialSpecName",
        value: "Kubectl-GMSA-Probe",
        answer: "is not a valid name of a GMSA cred spec",
    },
    Question {
        step: "validating",
        field: "gmsaCredentialSpec",
        value: "{}",
        answer: "has a GMSA cred spec set",
    },
];

/// Why it could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused the pod for a reason of its own, or could not be reached.
    #[error(transparent)]
    Refused(#[from] crate::api::Error),
    /// The pod is none that can be sent.
    #[error("failed to make the pod to ask with: {0}")]
    Pod(#[from] serde_json::Error),
}

/// Asks once whether the policies of the engine decide, by a pod of this namespace; none if they do, else
/// what is wrong. The pod is none that policies leave to the webhook. Policies with the credential specs in
/// them have names of their own.
pub async fn ask_policies(
    client: &Client,
    namespace: &str,
    are_literal: bool,
) -> Result<Option<String>, Error> {
    let [_, question] = &QUESTIONS;
    let mut pod = pod(question)?;
    pod.metadata.labels = None;
    let Err(error) = create(client, namespace, &pod).await else {
        return Ok(Some("no policy refused a pod that must be refused".to_owned()));
    };
    let named = |policy: &str| name_of(policy, are_literal);
    let said_by = |policy: &str| error.why().contains(&format!("'{}'", named(policy)));
    let is_engine = said_by(ENGINE_CHECK) || said_by(ENGINE_GUARD);
    match error.code() {
        // The guard names what should have seen the pod.
        Some(_) if is_engine && error.why().contains(&named(ENGINE_EXPAND)) => {
            Ok(Some(error.why().to_owned()))
        }
        Some(_) if is_engine && error.why().contains(question.answer) => Ok(None),
        Some(_) if error.why().contains(question.answer) => {
            Ok(Some(format!("another than the policies answered: {}", error.why())))
        }
        _ => Err(error.into()),
    }
}

/// Creates a pod as a dry run.
async fn create(
    client: &Client,
    namespace: &str,
    pod: &DynamicObject,
) -> Result<DynamicObject, crate::api::Error> {
    // Reading the whole type would be a good part of the server's program.
    let resource = ApiResource::erase::<Pod>(&());
    let pods: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let object = format!("a pod in the namespace {namespace} as a dry run");
    answer("create", object, pods.create(&dry, pod)).await
}

/// Asks once, by a pod of this namespace; none if the webhook answered, else what is wrong.
pub async fn ask(
    client: &Client,
    namespace: &str,
    question: &Question,
) -> Result<Option<String>, Error> {
    let unasked = || Ok(Some("the API server did not ask it".to_owned()));
    let Err(error) = create(client, namespace, &pod(question)?).await else { return unasked() };
    match error.code() {
        Some(_) if error.why().contains(question.answer) => Ok(None),
        Some(_) if error.why().contains("calling webhook") => Ok(Some(error.why().to_owned())),
        // Built-in validation comes after the mutating webhooks.
        Some(422) => unasked(),
        _ => Err(error.into()),
    }
}

/// A pod that meets the restricted level, except for the field.
fn pod(question: &Question) -> Result<DynamicObject, serde_json::Error> {
    serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": PROBE, "labels": {PROBE_LABEL: "true"}},
        "spec": {
            // Servers before 1.24 wait for a token else, where a namespace is new.
            "automountServiceAccountToken": false,
            "securityContext": {
                "runAsNonRoot": true,
                "seccompProfile": {"type": "RuntimeDefault"},
                "windowsOptions": {question.field: question.value},
            },
            "containers": [{
                "name": "probe",
                "image": "probe",
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"]},
                },
            }],
        },
    }))
}
