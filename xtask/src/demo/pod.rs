//! The pod of an example workload, as a controller would create it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::tree;

const SERVICE_ACCOUNT: &str = "serviceAccountName";

/// A pod and its source.
#[derive(Clone)]
pub struct ExamplePod {
    /// What made it, such as `Deployment "web" in namespace "shop"`.
    pub workload: String,
    namespace: String,
    pod: Value,
}

/// The pod of the first Deployment among the manifests of a directory.
pub fn first(directory: &Path) -> Result<ExamplePod> {
    for path in tree::files(directory, "yaml")? {
        let documents: Vec<Value> = serde_saphyr::from_multiple(&tree::read(&path)?)
            .with_context(|| format!("failed to read {}", path.display()))?;
        if let Some(deployment) =
            documents.iter().find(|object| text(object, "/kind") == Some("Deployment"))
        {
            return from_deployment(deployment);
        }
    }
    anyhow::bail!("failed to find a Deployment in {}", directory.display())
}

fn from_deployment(deployment: &Value) -> Result<ExamplePod> {
    let name = text(deployment, "/metadata/name").context("the Deployment has no name")?;
    let namespace = text(deployment, "/metadata/namespace").unwrap_or("default");
    let mut spec = deployment
        .pointer("/spec/template/spec")
        .and_then(Value::as_object)
        .with_context(|| format!("Deployment \"{name}\" has no pod template"))?
        .clone();
    // As the API server does before it asks a webhook.
    spec.entry(SERVICE_ACCOUNT).or_insert_with(|| json!("default"));
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": format!("{name}-6d4cf56db6-"),
            "namespace": namespace,
            "labels": deployment.pointer("/spec/template/metadata/labels"),
        },
        "spec": spec,
    });
    let workload = format!("Deployment \"{name}\" in namespace \"{namespace}\"");
    Ok(ExamplePod { workload, namespace: namespace.to_owned(), pod })
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

impl ExamplePod {
    /// The service account that it runs as.
    pub fn service_account(&self) -> &str {
        text(&self.pod, "/spec/serviceAccountName").unwrap_or_default()
    }

    /// The same pod with another service account.
    pub fn with_service_account(&self, name: &str) -> Result<Self> {
        let mut other = self.clone();
        other.add("/spec/serviceAccountName", &json!(name))?;
        Ok(other)
    }

    /// Sets the value at a JSON pointer whose parent is an object.
    pub fn add(&mut self, pointer: &str, value: &Value) -> Result<()> {
        let place = pointer
            .rsplit_once('/')
            .and_then(|(parent, key)| Some((self.pod.pointer_mut(parent)?.as_object_mut()?, key)));
        let (parent, key) = place.with_context(|| format!("the patch adds at {pointer}"))?;
        parent.insert(key.to_owned(), value.clone());
        Ok(())
    }

    /// What an API server sends when this pod is created.
    pub fn to_review(&self) -> Value {
        json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "3d1f2ea4-0a6c-4f5f-9d0e-6c1a8a4a7d51",
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "namespace": self.namespace,
                "operation": "CREATE",
                "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller"},
                "object": self.pod,
                "oldObject": null,
                "dryRun": false,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_pod_comes_from_its_template_and_can_be_patched() {
        let mut pod = super::from_deployment(&json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"template": {"spec": {"securityContext": {"windowsOptions": {}}}}},
        }))
        .unwrap();
        assert_eq!(pod.service_account(), "default");
        pod.add("/spec/securityContext/windowsOptions/gmsaCredentialSpec", &json!("{}")).unwrap();
        assert!(pod.add("/spec/containers/0/x", &json!(1)).is_err());
        let review = pod.with_service_account("other").unwrap().to_review();
        assert_eq!(review["request"]["namespace"], "shop");
        let spec = &review["request"]["object"]["spec"];
        assert_eq!(spec["serviceAccountName"], "other");
        assert_eq!(spec["securityContext"]["windowsOptions"]["gmsaCredentialSpec"], "{}");
    }
}
