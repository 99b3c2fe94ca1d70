//! The CA bundle of webhook configurations: the one field that the server manages there. Applying the
//! rest of the configuration keeps it.

use gmsa_core::names::SERVER_FIELD_MANAGER;
use k8s_openapi::ByteString;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::api::value::{array, text};
use crate::api::{Error, answer};

/// What was done to a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing: it trusts the bundle already, or does not exist.
    Nothing,
    /// It had no bundle.
    First,
    /// It had another one.
    Replaced,
}

/// The bundles of CAs, in PEM, that the webhooks of the configuration `KIND NAME` trust; none if it does not
/// exist.
pub async fn trusted(
    api: &Api<DynamicObject>,
    kind: &str,
    name: &str,
) -> Result<Vec<String>, Error> {
    let found = answer("read", format!("{kind} {name}"), api.get_opt(name)).await?;
    Ok(found.map(|found| bundles(&found.data)).unwrap_or_default())
}

/// The bundles of CAs, in PEM, that the webhooks of a configuration trust.
#[must_use]
pub fn bundles(configuration: &Value) -> Vec<String> {
    let bundles = array(configuration, "/webhooks").filter_map(|hook| {
        let bundle = hook.pointer("/clientConfig/caBundle").cloned()?;
        String::from_utf8(serde_json::from_value::<ByteString>(bundle).ok()?.0).ok()
    });
    bundles.filter(|bundle| !bundle.is_empty()).collect()
}

/// Makes the webhook configuration `KIND NAME`, if it exists, trust this bundle of CAs, in PEM.
pub async fn publish(
    api: &Api<DynamicObject>,
    kind: &str,
    name: &str,
    bundle: &str,
) -> Result<Written, Error> {
    let object = format!("{kind} {name}");
    let Some(found) = answer("read", &object, api.get_opt(name)).await? else {
        return Ok(Written::Nothing);
    };
    let encoded = json!(ByteString(bundle.as_bytes().to_vec()));
    let trusted = |hook: &Value| text(hook, "/clientConfig/caBundle").to_owned();
    let hooks = || array(&found.data, "/webhooks");
    let had_another = hooks().any(|hook| !trusted(hook).is_empty());
    let stale: Vec<Value> = hooks()
        .filter(|hook| encoded != trusted(hook))
        .map(|hook| json!({"name": text(hook, "/name"), "clientConfig": {"caBundle": encoded}}))
        .collect();
    if stale.is_empty() {
        return Ok(Written::Nothing);
    }
    let patch = json!({
        "metadata": {"resourceVersion": found.metadata.resource_version},
        "webhooks": stale,
    });
    let manager = Some(SERVER_FIELD_MANAGER.to_owned());
    let params = PatchParams { field_manager: manager, ..PatchParams::default() };
    let patch = Patch::Strategic(&patch);
    let patched = api.patch(name, &params, &patch);
    answer("write the CA bundle of", &object, patched).await?;
    Ok(if had_another { Written::Replaced } else { Written::First })
}
