//! What is read of the cluster, before anything is judged.

use futures::future::try_join_all;
use gmsa_cluster::api::Error;
use gmsa_cluster::api::objects::{Kind, Objects, Reference, kinds};
use gmsa_cluster::api::value::{array, text};
use gmsa_cluster::installation::engine::InForce;
use gmsa_cluster::installation::identify::{
    has_ended, is_controlled, is_gmsa_configuration, is_ours, sends_no_pods,
};
use gmsa_core::names::{EARLY_WARNINGS, INDEX_KEEPER, NAME};
use serde_json::Value;

use crate::failure::Failure;

/// What was read, or why it may not be read.
pub type Seen<T> = Result<T, String>;

/// The webhook, ours or another, and what is left of others.
pub struct Facts {
    /// The configurations that send pods, ours if there are any.
    pub configurations: Seen<Vec<Value>>,
    /// Whether our configuration of early warnings is there.
    pub early_warnings: bool,
    /// Configurations and Deployments of other GMSA webhooks.
    pub others: Vec<String>,
    /// Workloads and pods of another GMSA webhook that have lost their owner.
    pub orphans: Seen<Vec<Value>>,
    /// The webhook's Deployment.
    pub deployment: Seen<Option<Value>>,
    /// The namespaces.
    pub namespaces: Seen<Vec<Value>>,
    /// Everything that makes pods, and pods.
    pub workloads: Vec<Value>,
    /// The credential specs; none if their kind is unknown.
    pub specs: Seen<Option<Vec<Value>>>,
    /// The nodes.
    pub nodes: Seen<Vec<Value>>,
    /// Our policies with the credential specs in them.
    pub literals: Seen<Option<InForce>>,
    /// Whether the webhook is ours, or the policies that are there in its stead.
    pub ours: bool,
}

/// A missing right becomes the result of the check; any other error ends the command.
pub fn soft<T>(read: Result<T, Error>) -> Result<Seen<T>, Failure> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(error) if error.code() == Some(403) => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// One object; none if it, or its kind, is not there.
pub async fn one(
    objects: &Objects,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<Seen<Option<Value>>, Failure> {
    soft(objects.get(&Reference::namespaced(kind, namespace, name)).await)
}

/// Reads everything, at once.
pub async fn read(objects: &Objects) -> Result<Facts, Failure> {
    let list = |kind: Kind| Box::pin(async move { soft(objects.list(kind, None).await) });
    let specs = Box::pin(async {
        match objects.list(kinds::CREDENTIAL_SPEC, None).await {
            Err(error) if error.code() == Some(404) => Ok(Ok(None)),
            read => soft(read.map(Some)),
        }
    });
    let workload_kinds = kinds::TEMPLATES.into_iter().chain([kinds::POD]);
    let listed =
        workload_kinds.map(|kind| async move { Ok::<_, Failure>((kind, list(kind).await?)) });
    let literals = Box::pin(async { soft(InForce::read(objects).await) });
    let (mutating, validating, deployments, listed, specs, namespaces, nodes, literals) = tokio::try_join!(
        list(kinds::MUTATING_WEBHOOKS),
        list(kinds::VALIDATING_WEBHOOKS),
        list(kinds::DEPLOYMENT),
        try_join_all(listed),
        specs,
        list(kinds::NAMESPACE),
        list(kinds::NODE),
        literals
    )?;
    let mut configurations = Ok(Vec::new());
    let mut early_warnings = false;
    let mut keeps_index = false;
    for found in [mutating, validating] {
        match (found, &mut configurations) {
            (Ok(found), Ok(all)) => {
                early_warnings |= found
                    .iter()
                    .any(|one| text(one, "/metadata/name") == EARLY_WARNINGS && is_ours(one));
                keeps_index |= found
                    .iter()
                    .any(|one| text(one, "/metadata/name") == INDEX_KEEPER && is_ours(one));
                all.extend(
                    found
                        .into_iter()
                        .filter(|one| is_gmsa_configuration(one) && !sends_no_pods(one)),
                );
            }
            (Err(why), _) => configurations = Err(why),
            (Ok(_), Err(_)) => {}
        }
    }
    let deployments: Seen<Vec<Value>> =
        deployments.map(|all| all.into_iter().filter(is_gmsa_deployment).collect());
    let ours = keeps_index
        || matches!(literals, Ok(Some(_)))
        || configurations.iter().flatten().any(is_ours)
        || deployments.iter().flatten().any(is_ours);
    let mut others = Vec::new();
    if ours {
        let of = |objects: &Seen<Vec<Value>>| -> Vec<String> {
            objects.iter().flatten().filter(|one| !is_ours(one)).map(shown).collect()
        };
        others.extend(of(&configurations));
        others.extend(of(&deployments));
    }
    let configurations =
        configurations.map(|all| all.into_iter().filter(|one| !ours || is_ours(one)).collect());
    let deployment = deployments.map(|all| all.into_iter().find(|one| is_ours(one) == ours));
    let (mut workloads, mut orphans) = (Vec::new(), Ok(Vec::new()));
    for (kind, found) in listed {
        match found {
            Ok(found) => workloads.extend(found),
            Err(why) if ["Pod", "ReplicaSet"].contains(&kind.kind) => orphans = Err(why),
            Err(_) => {}
        }
    }
    if ours && let Ok(all) = &mut orphans {
        all.extend(workloads.iter().filter(|one| is_orphan(one)).cloned());
    }
    Ok(Facts {
        configurations,
        early_warnings,
        others,
        orphans,
        deployment,
        namespaces,
        workloads,
        specs,
        nodes,
        literals,
        ours,
    })
}

impl Facts {
    /// The Deployment, if there is one that may be read.
    pub fn live_deployment(&self) -> Option<&Value> {
        self.deployment.as_ref().ok()?.as_ref()
    }

    /// The namespace and name of the server's service account; none without its Deployment.
    pub fn service_account(&self) -> Option<(&str, &str)> {
        let deployment = self.live_deployment()?;
        let name = match text(deployment, "/spec/template/spec/serviceAccountName") {
            "" => "default",
            name => name,
        };
        Some((text(deployment, "/metadata/namespace"), name))
    }

    /// The namespace, name and port of the Service that is called.
    pub fn service(&self) -> Option<(String, String, u64)> {
        let service = self.hooks().find_map(|(_, hook)| hook.pointer("/clientConfig/service"))?;
        let port = service.get("port").and_then(Value::as_u64).unwrap_or(443);
        Some((text(service, "/namespace").to_owned(), text(service, "/name").to_owned(), port))
    }

    /// The namespace of the webhook.
    pub fn namespace(&self) -> String {
        let of_deployment =
            || Some(text(self.live_deployment()?, "/metadata/namespace").to_owned());
        let of_service = self.service().map(|(namespace, ..)| namespace);
        of_service.or_else(of_deployment).unwrap_or_else(|| NAME.to_owned())
    }

    /// Each webhook with its configuration.
    pub fn hooks(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.configurations.iter().flatten().flat_map(|configuration| {
            array(configuration, "/webhooks").map(move |hook| (configuration, hook))
        })
    }
}

fn is_gmsa_deployment(deployment: &Value) -> bool {
    is_ours(deployment) || is_gmsa_server(deployment, "/spec/template/spec/containers")
}

/// Whether it runs a GMSA webhook, by its name or its images.
fn is_gmsa_server(object: &Value, containers: &str) -> bool {
    let mut images = array(object, containers).map(|container| text(container, "/image"));
    text(object, "/metadata/name").contains("gmsa-webhook")
        || images.any(|image| image.contains("gmsa-webhook"))
}

/// Whether it goes on running another GMSA webhook although what made it is gone, as
/// `--cascade=orphan` leaves it.
fn is_orphan(object: &Value) -> bool {
    let containers = match text(object, "/kind") {
        "Pod" => "/spec/containers",
        "ReplicaSet" => "/spec/template/spec/containers",
        _ => return false,
    };
    !is_controlled(object)
        && !has_ended(object)
        && !is_ours(object)
        && is_gmsa_server(object, containers)
}

/// `Kind namespace/name`.
pub fn shown(object: &Value) -> String {
    let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
    match text(object, "/metadata/namespace") {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}
