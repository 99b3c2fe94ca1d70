//! Server-side apply of objects of any kind, and what it would change.

use std::collections::BTreeMap;

use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiResource, Scope, pinned_kind};
use parking_lot::Mutex;
use serde_json::Value;

use crate::api::client::why;

/// Why an object could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object is none.
    #[error("failed to read an object: it has no {0}")]
    Malformed(&'static str),
    /// The API server does not serve this kind.
    #[error(
        "failed to find {kind} of {api_version} in this cluster: {why}; install what brings this \
         kind first, or leave out the option that asks for it"
    )]
    UnknownKind {
        /// The kind.
        kind: String,
        /// Its version.
        api_version: String,
        /// Why.
        why: String,
    },
    /// Another field manager owns fields that we would change.
    #[error(
        "failed to apply {object}: {why}; if their values should go, run again with \
         --force-conflicts"
    )]
    Conflict {
        /// The object.
        object: String,
        /// Which fields, of whom.
        why: String,
    },
    /// The API server refused, or could not be reached.
    #[error("failed to {verb} {object}: {why}")]
    Refused {
        /// What was attempted.
        verb: &'static str,
        /// The object.
        object: String,
        /// Why.
        why: String,
        /// The HTTP status code; 0 without an answer.
        code: u16,
    },
}

impl Error {
    /// Whether a right is missing.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { code: 403, .. })
    }
}

/// One value that an apply changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, such as `spec.replicas`.
    pub path: String,
    /// The current value, if there is one.
    pub was: Option<Value>,
    /// The new value; none if the field is removed.
    pub becomes: Option<Value>,
}

/// What an apply does to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is new.
    Created,
    /// It is changed there.
    Changed(Vec<Difference>),
    /// It stays as it is.
    Unchanged,
}

/// Applies objects under one field manager.
pub struct Applier {
    client: Client,
    manager: &'static str,
    force: bool,
    kinds: Mutex<BTreeMap<(String, String), (ApiResource, Scope)>>,
}

impl Applier {
    /// With `force`, fields of other managers are taken over.
    #[must_use]
    pub fn new(client: Client, manager: &'static str, force: bool) -> Self {
        Self { client, manager, force, kinds: Mutex::default() }
    }

    /// The object as it is in the cluster; none if it, or its kind, is not there.
    pub async fn live(&self, object: &Value) -> Result<Option<Value>, Error> {
        let api = match self.api(object).await {
            Ok(api) => api,
            Err(Error::UnknownKind { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = api.get_opt(name(object)?).await;
        let found = found.map_err(|error| refused("read", object, &error))?;
        Ok(found.map(|found| serde_json::to_value(found).unwrap_or_default()))
    }

    /// What applying would change; nothing is stored.
    pub async fn compare(&self, object: &Value) -> Result<Change, Error> {
        self.patch(object, true).await
    }

    /// Applies the object.
    pub async fn apply(&self, object: &Value) -> Result<Change, Error> {
        self.patch(object, false).await
    }

    /// Deletes the object; false if it is not there.
    pub async fn delete(&self, object: &Value) -> Result<bool, Error> {
        let api = match self.api(object).await {
            Ok(api) => api,
            Err(Error::UnknownKind { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        // Servers before 1.21 leave the Jobs of a CronJob behind without this option.
        match api.delete(name(object)?, &DeleteParams::background()).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(error) => Err(refused("delete", object, &error)),
        }
    }

    /// Deletes the object if it is still the one with this `metadata.uid`; false if it is not there.
    pub async fn delete_exactly(&self, object: &Value) -> Result<bool, Error> {
        let api = match self.api(object).await {
            Ok(api) => api,
            Err(Error::UnknownKind { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
        let preconditions = Some(Preconditions { uid, resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        match api.delete(name(object)?, &params).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
            Err(error) => Err(refused("delete", object, &error)),
        }
    }

    async fn patch(&self, object: &Value, dry_run: bool) -> Result<Change, Error> {
        let api = self.api(object).await?;
        let before = self.live(object).await?;
        if before.is_none() && dry_run {
            // What it needs, such as its namespace, may not be there yet either.
            return Ok(Change::Created);
        }
        let mut params = PatchParams::apply(self.manager);
        params.force = self.force;
        params.dry_run = dry_run;
        let after = match api.patch(name(object)?, &params, &Patch::Apply(object)).await {
            Ok(after) => serde_json::to_value(after).unwrap_or_default(),
            Err(kube::Error::Api(status)) if status.code == 409 => {
                return Err(Error::Conflict { object: shown(object), why: status.message.clone() });
            }
            Err(error) => return Err(refused("apply", object, &error)),
        };
        let Some(before) = before else { return Ok(Change::Created) };
        let mut differences = Vec::new();
        compare("", &before, &after, &mut differences);
        Ok(if differences.is_empty() { Change::Unchanged } else { Change::Changed(differences) })
    }

    async fn api(&self, object: &Value) -> Result<Api<DynamicObject>, Error> {
        let (resource, scope) = self.kind(object).await?;
        let client = self.client.clone();
        Ok(match (scope, object.pointer("/metadata/namespace").and_then(Value::as_str)) {
            (Scope::Namespaced, Some(namespace)) => {
                Api::namespaced_with(client, namespace, &resource)
            }
            (Scope::Namespaced, None) => Api::default_namespaced_with(client, &resource),
            (Scope::Cluster, _) => Api::all_with(client, &resource),
        })
    }

    async fn kind(&self, object: &Value) -> Result<(ApiResource, Scope), Error> {
        let (api_version, kind) = (text(object, "apiVersion")?, text(object, "kind")?);
        let key = (api_version.to_owned(), kind.to_owned());
        if let Some(known) = self.kinds.lock().get(&key) {
            return Ok(known.clone());
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        match pinned_kind(&self.client, &gvk).await {
            Ok((resource, capabilities)) => {
                let known = (resource, capabilities.scope);
                self.kinds.lock().insert(key, known.clone());
                Ok(known)
            }
            Err(error) => {
                let unreachable =
                    !matches!(&error, kube::Error::Discovery(_) | kube::Error::Api(_));
                if unreachable {
                    return Err(refused("find the kind of", object, &error));
                }
                Err(Error::UnknownKind {
                    kind: kind.to_owned(),
                    api_version: api_version.to_owned(),
                    why: why(&error),
                })
            }
        }
    }
}

/// An object as kubectl calls it, such as `deployment/gmsa-webhook`.
#[must_use]
pub fn shown(object: &Value) -> String {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or("object");
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    format!("{}/{name}", kind.to_ascii_lowercase())
}

fn name(object: &Value) -> Result<&str, Error> {
    object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .ok_or(Error::Malformed("metadata.name"))
}

fn text<'a>(object: &'a Value, key: &'static str) -> Result<&'a str, Error> {
    object.get(key).and_then(Value::as_str).ok_or(Error::Malformed(key))
}

fn refused(verb: &'static str, object: &Value, error: &kube::Error) -> Error {
    let code = match error {
        kube::Error::Api(status) => status.code,
        _ => 0,
    };
    Error::Refused { verb, object: shown(object), why: why(error), code }
}

/// Fields that the API server sets.
const KEPT: [&str; 6] = [
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.creationTimestamp",
    "metadata.uid",
    "status",
];

fn compare(path: &str, was: &Value, becomes: &Value, found: &mut Vec<Difference>) {
    if was == becomes || KEPT.contains(&path) {
        return;
    }
    let within = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (was, becomes) {
        (Value::Object(was), Value::Object(becomes)) => {
            for (key, value) in was {
                match becomes.get(key) {
                    Some(other) => compare(&within(key), value, other, found),
                    None => differ(within(key), Some(value), None, found),
                }
            }
            for (key, value) in becomes.iter().filter(|(key, _)| !was.contains_key(*key)) {
                differ(within(key), None, Some(value), found);
            }
        }
        (Value::Array(was), Value::Array(becomes)) if was.len() == becomes.len() => {
            for (index, (was, becomes)) in was.iter().zip(becomes).enumerate() {
                compare(&format!("{path}[{index}]"), was, becomes, found);
            }
        }
        _ => differ(path.to_owned(), Some(was), Some(becomes), found),
    }
}

fn differ(path: String, was: Option<&Value>, becomes: Option<&Value>, found: &mut Vec<Difference>) {
    if !KEPT.contains(&path.as_str()) {
        found.push(Difference { path, was: was.cloned(), becomes: becomes.cloned() });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Difference, compare};

    #[test]
    fn differences_name_their_path_and_leave_out_what_the_server_keeps() {
        let was = json!({"metadata": {"generation": 1, "labels": {"a": "1", "b": "2"}},
            "spec": {"list": [{"x": 1}], "other": [1]}, "status": {"ready": 1}});
        let becomes = json!({"metadata": {"generation": 2, "labels": {"a": "1", "c": "3"}},
            "spec": {"list": [{"x": 2}], "other": [1, 2]}});
        let mut found = Vec::new();
        compare("", &was, &becomes, &mut found);
        let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
        let expected = ["metadata.labels.b", "metadata.labels.c", "spec.list[0].x", "spec.other"];
        assert_eq!(paths, expected);
        assert_eq!(
            found[2],
            Difference {
                path: "spec.list[0].x".to_owned(),
                was: Some(json!(1)),
                becomes: Some(json!(2))
            }
        );
    }
}
