//! Whether the API server asks the webhooks, and they answer: pods that must be denied, created as a
//! dry run.

use gmsa_core::names::{PROBE, PROBE_LABEL};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use serde_json::json;

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

/// Asks once, by a pod of this namespace; none if the webhook answered, else what is wrong.
pub async fn ask(
    client: &Client,
    namespace: &str,
    question: &Question,
) -> Result<Option<String>, Error> {
    // Reading the whole type would be a good part of the server's program.
    let resource = ApiResource::erase::<Pod>(&());
    let pods: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let pod = pod(question)?;
    let object = format!("a pod in the namespace {namespace} as a dry run");
    let unasked = || Ok(Some("the API server did not ask it".to_owned()));
    let created = answer("create", object, pods.create(&dry, &pod)).await;
    let Err(error) = created else { return unasked() };
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
