//! Server-side apply of objects of any kind, and what it would change.

use std::collections::BTreeMap;

use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiResource, Scope, pinned_kind};
use parking_lot::Mutex;
use serde_json::Value;

use super::{Error, answer};

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

impl Change {
    fn between(before: Option<Value>, after: &Value) -> Self {
        let Some(before) = before else { return Self::Created };
        let mut differences = Vec::new();
        compare("", &before, after, &mut differences);
        if differences.is_empty() { Self::Unchanged } else { Self::Changed(differences) }
    }
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
        let Some(api) = self.known_api(object).await? else { return Ok(None) };
        let found = answer("read", shown(object), api.get_opt(name(object)?)).await?;
        Ok(found.map(|found| serde_json::to_value(found).unwrap_or_default()))
    }

    /// What applying would change; nothing is stored.
    pub async fn compare(&self, object: &Value) -> Result<Change, Error> {
        // What a new object needs, such as its namespace, may not be there yet either.
        let api = self.api(object).await?;
        match self.live(object).await? {
            None => Ok(Change::Created),
            before => {
                Ok(Change::between(before, &self.send(&api, object, true, self.force).await?))
            }
        }
    }

    /// The path of the first key of the object that the API server would drop or refuse because the
    /// schema of its kind lacks it; nothing is stored.
    pub async fn dropped(&self, object: &Value) -> Result<Option<String>, Error> {
        let api = self.api(object).await?;
        match self.send(&api, object, true, self.force).await {
            Ok(stored) => Ok(dropped("", object, Some(&stored))),
            // `.credspec.ActiveDirectoryConfig.HostAccountConfig: field not declared in schema`
            Err(error) => match error.why().split_once(UNDECLARED) {
                None => Err(error),
                Some((before, _)) => {
                    let path = before.rsplit(' ').next().unwrap_or_default();
                    Ok(Some(path.trim_matches('.').to_owned()))
                }
            },
        }
    }

    /// Applies the object.
    pub async fn apply(&self, object: &Value) -> Result<Change, Error> {
        self.apply_by(object, self.force).await
    }

    /// Applies an object that this applier has just made: what others changed of it meanwhile is
    /// taken over.
    pub async fn apply_over(&self, object: &Value) -> Result<Change, Error> {
        self.apply_by(object, true).await
    }

    async fn apply_by(&self, object: &Value, force: bool) -> Result<Change, Error> {
        let api = self.api(object).await?;
        let before = self.live(object).await?;
        Ok(Change::between(before, &self.send(&api, object, false, force).await?))
    }

    async fn send(
        &self,
        api: &Api<DynamicObject>,
        object: &Value,
        dry_run: bool,
        force: bool,
    ) -> Result<Value, Error> {
        let params = PatchParams { dry_run, force, ..PatchParams::apply(self.manager) };
        let patch = Patch::Apply(object);
        match answer("apply", shown(object), api.patch(name(object)?, &params, &patch)).await {
            Ok(after) => Ok(serde_json::to_value(after).unwrap_or_default()),
            Err(error) if error.is_conflict() => {
                Err(error
                    .with_remedy("if their values should go, run again with --force-conflicts"))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a whole object that was read and changed, unless another writer changed it since; what is
    /// stored then. A definition may not say how its lists are merged: an apply would replace them.
    pub async fn replace(&self, object: &Value, dry_run: bool) -> Result<Value, Error> {
        let api = self.api(object).await?;
        let body: DynamicObject = serde_json::from_value(object.clone())
            .map_err(|error| Error::not_sent("change", shown(object), error))?;
        let params = PostParams { dry_run, field_manager: Some(self.manager.to_owned()) };
        let stored = api.replace(name(object)?, &params, &body);
        let stored = answer("change", shown(object), stored).await?;
        Ok(serde_json::to_value(stored).unwrap_or_default())
    }

    /// Deletes the object; false if it is not there.
    pub async fn delete(&self, object: &Value) -> Result<bool, Error> {
        // Servers before 1.21 leave the Jobs of a CronJob behind without this option.
        self.remove(object, &DeleteParams::background(), &[404]).await
    }

    /// Deletes the object if it is still the one with this `metadata.uid`; false if it is not there.
    pub async fn delete_exactly(&self, object: &Value) -> Result<bool, Error> {
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
        let preconditions = Some(Preconditions { uid, resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        self.remove(object, &params, &[404, 409]).await
    }

    /// False if the API server answers with one of these codes: the object is gone.
    async fn remove(
        &self,
        object: &Value,
        params: &DeleteParams,
        gone: &[u16],
    ) -> Result<bool, Error> {
        let Some(api) = self.known_api(object).await? else { return Ok(false) };
        match answer("delete", shown(object), api.delete(name(object)?, params)).await {
            Ok(_) => Ok(true),
            Err(error) if error.code().is_some_and(|code| gone.contains(&code)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// None if the cluster does not know the kind.
    async fn known_api(&self, object: &Value) -> Result<Option<Api<DynamicObject>>, Error> {
        match self.api(object).await {
            Ok(api) => Ok(Some(api)),
            Err(error) if error.is_unknown_kind() => Ok(None),
            Err(error) => Err(error),
        }
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
        let (api_version, kind) = (required(object, "/apiVersion")?, required(object, "/kind")?);
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
            Err(error @ (kube::Error::Discovery(_) | kube::Error::Api(_))) => {
                Err(Error::unknown_kind(kind, api_version, &error))
            }
            Err(error) => Err(Error::new("find the kind of", shown(object), &error)),
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
    required(object, "/metadata/name")
}

fn required<'a>(object: &'a Value, pointer: &str) -> Result<&'a str, Error> {
    object.pointer(pointer).and_then(Value::as_str).ok_or_else(|| {
        let key = pointer.trim_start_matches('/').replace('/', ".");
        Error::not_sent("read", "an object", format!("it has no {key}"))
    })
}

/// The API server's words for a key that a schema lacks.
const UNDECLARED: &str = ": field not declared in schema";

/// The path of the first key that is wanted and not stored.
fn dropped(path: &str, wanted: &Value, stored: Option<&Value>) -> Option<String> {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match wanted {
        Value::Null => None,
        Value::Object(map) => {
            let Some(Value::Object(kept)) = stored else { return Some(path.to_owned()) };
            map.iter().find_map(|(key, value)| dropped(&below(key), value, kept.get(key)))
        }
        Value::Array(items) => {
            let kept = stored.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            items.iter().enumerate().find_map(|(index, item)| {
                dropped(&format!("{path}[{index}]"), item, kept.get(index))
            })
        }
        _ => stored.is_none().then(|| path.to_owned()),
    }
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
