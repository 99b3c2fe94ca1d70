//! Whether Helm holds the installation: what changes or removes it behind Helm's back stays unknown to Helm.

use gmsa_cluster::api::answer;
use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::installation::identify::is_ours;
use gmsa_core::names::{FIELD_MANAGER, NAME};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ListParams};
use serde_json::Value;

use crate::failure::Failure;
use crate::output::printer;

/// The annotation with the name of the release that an object belongs to.
pub const RELEASE: &str = "meta.helm.sh/release-name";
/// The annotation with the namespace of that release.
pub const NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// The namespace and the name of the release that an object says it belongs to.
pub fn release(object: &Value) -> Option<(String, String)> {
    let annotations = object.pointer("/metadata/annotations")?;
    let value = |key: &str| annotations.get(key)?.as_str().map(str::to_owned);
    Some((value(NAMESPACE)?, value(RELEASE)?))
}

/// Refuses to change the installation of a release, and only warns with `force`.
pub async fn refuse_change(client: &Client, namespace: &str, force: bool) -> Result<(), Failure> {
    let Some((of, name)) = holder(client, namespace).await? else { return Ok(()) };
    if force {
        printer::warning(&format!(
            "Helm's release {of}/{name} holds this installation and does not know of the change: the next \
             helm upgrade may undo it, or need --force-conflicts"
        ));
        return Ok(());
    }
    Err(Failure::Cluster(format!(
        "failed to install: Helm's release {of}/{name} holds this installation and would not know of the \
         change; change it with helm upgrade {name} -n {of}, or give it up first: helm uninstall {name} -n \
         {of}; --force-conflicts changes it all the same; nothing was changed"
    )))
}

/// Refuses to remove the installation of a release, which Helm would go on calling deployed.
pub async fn refuse_removal(client: &Client, namespace: &str) -> Result<(), Failure> {
    let Some((of, name)) = holder(client, namespace).await? else { return Ok(()) };
    Err(Failure::Cluster(format!(
        "failed to uninstall: Helm's release {of}/{name} holds this installation; run helm uninstall {name} \
         -n {of}, and then this again for what is left; nothing was changed"
    )))
}

/// The release that holds the Deployment. One that Helm has no record of any more holds nothing.
async fn holder(client: &Client, namespace: &str) -> Result<Option<(String, String)>, Failure> {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    let deployment = Reference::namespaced(kinds::DEPLOYMENT, namespace, NAME);
    let deployment = objects.get(&deployment).await?.filter(is_ours);
    let Some((of, name)) = deployment.as_ref().and_then(release) else { return Ok(None) };
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &of);
    let records = ListParams::default().labels(&format!("owner=helm,name={name}"));
    let object = format!("Helm's records of the release {of}/{name}");
    match answer("read", object, secrets.list_metadata(&records)).await {
        Ok(records) if records.items.is_empty() => Ok(None),
        Err(error) if !error.is_forbidden() => Err(error.into()),
        _ => Ok(Some((of, name))),
    }
}
