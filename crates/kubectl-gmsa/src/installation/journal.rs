//! What an interrupted takeover has to know: kept in an annotation of the namespace that is made
//! first and removed last.

use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::api::value::text;
use gmsa_cluster::installation::Options;
use gmsa_core::names::{PROBE_LABEL, TAKEOVER, TAKEOVER_STATE};
use kube::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::failure::Failure;

/// The journal of a takeover.
#[derive(Serialize, Deserialize)]
pub struct Journal {
    /// What is installed.
    pub options: Options,
    /// Objects to delete: `apiVersion`, `kind`, and of the metadata name, namespace and uid.
    pub remove: Vec<Value>,
}

impl Journal {
    pub fn new<'a>(options: &Options, remove: impl Iterator<Item = &'a Value>) -> Self {
        Self { options: options.clone(), remove: remove.map(identity).collect() }
    }

    /// The journal that is there; none if no takeover was begun.
    pub async fn read(client: &Client) -> Result<Option<Self>, Failure> {
        let applier = Applier::new(client.clone(), gmsa_core::names::FIELD_MANAGER, true);
        let live = applier.live(&namespace()).await?;
        let Some(live) = live else { return Ok(None) };
        if live.pointer("/metadata/deletionTimestamp").is_some() {
            return Ok(None);
        }
        let kept = live.pointer("/metadata/annotations").and_then(|all| all.get(TAKEOVER_STATE));
        let Some(kept) = kept.and_then(Value::as_str) else {
            return Err(Failure::Cluster(format!(
                "failed to read the annotation {TAKEOVER_STATE} of Namespace {TAKEOVER}: there is \
                 none; the namespace is for takeovers: delete it, if it is not needed"
            )));
        };
        serde_json::from_str(kept).map(Some).map_err(|error| {
            Failure::Cluster(format!(
                "failed to read the annotation {TAKEOVER_STATE} of Namespace {TAKEOVER}: {error}"
            ))
        })
    }

    /// The namespace that stores it, for its own labels and more.
    pub fn kept_in(&self, mut namespace: Value) -> Value {
        let text = serde_json::to_string(self).unwrap_or_default();
        if let Some(metadata) = namespace.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("annotations".to_owned(), json!({TAKEOVER_STATE: text}));
        }
        namespace
    }

    /// What it knew of and is still there.
    pub async fn left(self, applier: &Applier) -> Result<Vec<Value>, Failure> {
        let mut left = Vec::new();
        for object in self.remove {
            let live = applier.live(&object).await?;
            left.extend(
                live.filter(|live| text(live, "/metadata/uid") == text(&object, "/metadata/uid")),
            );
        }
        Ok(left)
    }
}

/// The namespace by which it is asked for.
pub fn namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": TAKEOVER, "labels": {PROBE_LABEL: "true"}}})
}

fn identity(object: &Value) -> Value {
    let mut metadata = json!({"name": text(object, "/metadata/name"),
        "uid": text(object, "/metadata/uid")});
    let namespace = text(object, "/metadata/namespace");
    if let (false, Some(metadata)) = (namespace.is_empty(), metadata.as_object_mut()) {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    json!({"apiVersion": text(object, "/apiVersion"), "kind": text(object, "/kind"),
        "metadata": metadata})
}
