//! The credential specs of a cluster, for commands: listed, read, applied.

use std::time::Duration;

use gmsa_core::names::{FIELD_MANAGER, GROUP, KIND, PLURAL};
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Client, Error as KubeError};
use serde_json::Value;

use crate::api::client::why;

/// The resource as requests name it.
#[must_use]
pub fn api_resource() -> ApiResource {
    ApiResource {
        group: GROUP.to_owned(),
        version: "v1".to_owned(),
        api_version: format!("{GROUP}/v1"),
        kind: KIND.to_owned(),
        plural: PLURAL.to_owned(),
    }
}

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many objects are asked for at once.
const PAGE: u32 = 500;

/// Why credential specs could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of that name.
    #[error("{KIND} \"{0}\" does not exist")]
    Absent(String),
    /// The cluster has no such resource.
    #[error(
        "failed to {0}: this cluster does not know the resource; apply the CustomResourceDefinition"
    )]
    Unknown(String),
    /// Somebody else set the same fields.
    #[error("failed to {what}: {why}; take the fields over with --force-conflicts")]
    Conflict {
        /// The operation and its object.
        what: String,
        /// Whose fields they are.
        why: String,
    },
    /// The API server refused, or did not answer.
    #[error("failed to {what}: {why}")]
    Failed {
        /// The operation and its object.
        what: String,
        /// Why.
        why: String,
    },
}

/// How an object is applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Apply {
    /// The API server judges and stores nothing.
    pub dry_run: bool,
    /// Fields that others set are taken over.
    pub force: bool,
}

/// The credential specs of a cluster.
pub struct CredentialSpecs {
    api: Api<DynamicObject>,
}

impl CredentialSpecs {
    /// Those that a client sees.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { api: Api::all_with(client, &api_resource()) }
    }

    /// All of them, by name.
    pub async fn list(&self) -> Result<Vec<Value>, Error> {
        let what = "list the credential specs";
        let mut objects = Vec::new();
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let page = within(what, self.api.list(&params)).await?;
            objects.extend(page.items.into_iter().map(|object| value(what, &object)));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => break objects.into_iter().collect(),
            }
        }
    }

    /// One of them.
    pub async fn get(&self, name: &str) -> Result<Value, Error> {
        let what = format!("read {KIND} \"{name}\"");
        match within(&what, self.api.get_opt(name)).await? {
            Some(object) => value(&what, &object),
            // The answer does not tell whether the object or the whole resource is unknown.
            None => match within(&what, self.api.list(&ListParams::default().limit(1))).await {
                Err(error @ Error::Unknown(_)) => Err(error),
                _ => Err(Error::Absent(name.to_owned())),
            },
        }
    }

    /// Makes one of them so, and gives back what is stored.
    pub async fn apply(&self, name: &str, object: &Value, how: Apply) -> Result<Value, Error> {
        let what = format!("apply {KIND} \"{name}\"");
        let params = PatchParams {
            dry_run: how.dry_run,
            force: how.force,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Apply(object);
        let stored = within(&what, self.api.patch(name, &params, &patch)).await?;
        value(&what, &stored)
    }
}

async fn within<T>(
    what: &str,
    asked: impl Future<Output = Result<T, KubeError>>,
) -> Result<T, Error> {
    let failed = |why: String| Error::Failed { what: what.to_owned(), why };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(KubeError::Api(status))) if status.code == 404 => {
            Err(Error::Unknown(what.to_owned()))
        }
        Ok(Err(KubeError::Api(status))) if status.code == 409 => {
            Err(Error::Conflict { what: what.to_owned(), why: status.message.clone() })
        }
        Ok(Err(error)) => Err(failed(why(&error))),
        Err(_) => Err(failed("the API server did not answer in time".to_owned())),
    }
}

/// The object without what only the API server needs to know.
fn value(what: &str, object: &DynamicObject) -> Result<Value, Error> {
    let mut value = serde_json::to_value(object)
        .map_err(|error| Error::Failed { what: what.to_owned(), why: error.to_string() })?;
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    Ok(value)
}
