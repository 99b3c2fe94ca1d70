//! What an installation of windows-gmsa consists of, by its script or by its chart: found from its
//! webhook configurations on, whatever it is called.

use std::collections::BTreeSet;

use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::api::objects::{Kind, Objects, kinds};
use gmsa_cluster::api::value::{array, labels, text};
use gmsa_cluster::installation::identify::{is_gmsa_configuration, is_ours};
use gmsa_core::names::NAME;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::installation::leftover::is_same;

/// What windows-gmsa calls its webhooks in both configurations.
const WEBHOOK: &str = "admission-webhook.windows-gmsa.sigs.k8s.io";

/// How the names of AKS' own GMSA webhook begin.
const AKS_WEBHOOK: &str = "windows-gmsa-webhook";
/// Its Deployment (Azure/AKS issue 2658).
const AKS_DEPLOYMENT: &str = "windows-gmsa-webhook-controller-manager";
/// Where it may be: the second one is what public policies of AKS clusters except by name.
const AKS_NAMESPACES: [&str; 2] = ["kube-system", "windows-gmsa-webhook-system"];
/// Where its image comes from, `oss/kubernetes` or `oss/v2/kubernetes` (the image lists of AKS' releases
/// and Azure/AgentBaker).
const AKS_REGISTRY: &str = "mcr.microsoft.com/";

/// An object's namespace and name.
pub type Key = (String, String);

/// An installation of windows-gmsa, or several.
#[derive(Default)]
pub struct Found {
    /// Its webhook configurations.
    pub configurations: Vec<Value>,
    /// Everything else of it, in the order of deletion.
    pub rest: Vec<Value>,
    /// Its Deployments, which are among the rest.
    pub deployments: Vec<Value>,
    /// The namespaces of its Services.
    pub namespaces: BTreeSet<String>,
    /// What is left where it is, and why.
    pub stays: Vec<String>,
}

impl Found {
    /// Everything to delete.
    pub fn all(&self) -> impl Iterator<Item = &Value> {
        self.configurations.iter().chain(&self.rest)
    }

    pub fn is_empty(&self) -> bool {
        self.configurations.is_empty() && self.rest.is_empty()
    }

    /// Whether one of our objects has the name of one of its objects.
    pub fn has(&self, object: &Value) -> bool {
        self.all().any(|one| is_same(one, object))
    }

    /// Whether none of its servers runs: then it refuses every pod that it selects, ours too.
    pub fn is_down(&self) -> bool {
        let available = |deployment: &Value| {
            deployment.pointer("/status/availableReplicas").and_then(Value::as_u64).unwrap_or(0)
        };
        !self.configurations.is_empty() && self.deployments.iter().all(|one| available(one) == 0)
    }

    /// The tool that would restore removed objects, unless the old installation is removed there too.
    pub fn managers(&self) -> Option<String> {
        let marks: BTreeSet<(&str, &str)> = self.all().filter_map(manager).collect();
        let (manager, object) = marks.first()?;
        Some(format!(
            "{manager} manages {object}: remove the old installation there at once, or it comes \
            back"
        ))
    }

    /// Adds one that an interrupted takeover knew of.
    pub fn add(&mut self, object: Value) {
        if self.has(&object) {
            return;
        }
        if text(&object, "/kind").ends_with("WebhookConfiguration") {
            self.configurations.push(object);
        } else {
            self.rest.push(object);
        }
    }
}

/// Looks for installations of windows-gmsa: their webhook configurations, and the Services of their
/// servers.
pub async fn find(
    objects: &Objects,
    applier: &Applier,
    namespace: &str,
) -> Result<(Found, BTreeSet<Key>), Failure> {
    let mut found = Found::default();
    let mut services = BTreeSet::new();
    let mut unknown = Vec::new();
    let mut of_aks = Vec::new();
    for kind in [kinds::MUTATING_WEBHOOKS, kinds::VALIDATING_WEBHOOKS] {
        for object in objects.list(kind, None).await? {
            if is_ours(&object) {
                continue;
            }
            if is_gmsa_configuration(&object) && belongs_to_aks(applier, &object).await? {
                of_aks.push(format!("{} {}", kind.kind, text(&object, "/metadata/name")));
                continue;
            }
            match which(&object) {
                Which::WindowsGmsa => {
                    services.extend(service_keys(&object));
                    found.configurations.push(object);
                }
                Which::Unknown(why) => {
                    unknown.push(format!(
                        "{} {} {why}",
                        kind.kind,
                        text(&object, "/metadata/name")
                    ));
                }
                Which::Another => {}
            }
        }
    }
    if !of_aks.is_empty() {
        return Err(Failure::Cluster(format!(
            "failed to take over: AKS manages {}, and restores what is removed of it. Copy the \
             credential specs, in case AKS deletes the resource definition, and switch its webhook \
             off:\n  kubectl get gmsacredentialspecs -o yaml > credential-specs.yaml\n  az aks update \
             --resource-group GROUP --name CLUSTER --disable-windows-gmsa\nAs soon as these objects are \
             gone, install ours, because until then no webhook checks pods:\n  kubectl gmsa \
             install\nNothing was changed",
            of_aks.join(" and ")
        )));
    }
    if !unknown.is_empty() {
        return Err(Failure::Cluster(format!(
            "failed to take over: {}; remove it by the way it was made, and run the same command \
             again; nothing was changed",
            unknown.join("; ")
        )));
    }
    // The user may have begun to remove it by hand.
    let ours = (namespace.to_owned(), NAME.to_owned());
    let live = applier.live(&reference(kinds::DEPLOYMENT, &ours)).await?;
    if let Some(live) = live.filter(|live| !is_ours(live)) {
        if !is_server(&live) {
            return Err(Failure::Cluster(format!(
                "failed to take over: Deployment {namespace}/{NAME} is not a server of windows-gmsa, \
                 and has the name of ours; give another namespace with -n; nothing was changed"
            )));
        }
        services.insert(ours);
    }
    found.namespaces.extend(services.iter().map(|(namespace, _)| namespace.clone()));
    Ok((found, services))
}

/// Whether AKS installed the webhook (`az aks update --enable-windows-gmsa`): by the marks on its
/// configuration and on the Service and Deployment behind it, or by the names of these.
async fn belongs_to_aks(applier: &Applier, configuration: &Value) -> Result<bool, Failure> {
    if is_marked_by_aks(configuration) {
        return Ok(true);
    }
    for (namespace, service) in service_keys(configuration) {
        if AKS_NAMESPACES.contains(&&*namespace) && service.starts_with(AKS_WEBHOOK) {
            return Ok(true);
        }
        for (kind, name) in [
            (kinds::SERVICE, service.as_str()),
            (kinds::DEPLOYMENT, service.as_str()),
            (kinds::DEPLOYMENT, AKS_DEPLOYMENT),
        ] {
            let key = (namespace.clone(), name.to_owned());
            let live = applier.live(&reference(kind, &key)).await?;
            if live.is_some_and(|live| is_marked_by_aks(&live) || is_server_of_aks(&live)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether a Deployment is the one of AKS: by its name, or by its image where AKS installs.
fn is_server_of_aks(object: &Value) -> bool {
    let image = text(object, "/spec/template/spec/containers/0/image");
    let repository = image.split(['@', ':']).next().unwrap_or_default();
    text(object, "/kind") == "Deployment"
        && (text(object, "/metadata/name") == AKS_DEPLOYMENT
            || AKS_NAMESPACES.contains(&text(object, "/metadata/namespace"))
                && repository.starts_with(AKS_REGISTRY)
                && repository.ends_with(&format!("/{AKS_WEBHOOK}")))
}

/// The marks of the addon manager, and of AKS.
fn is_marked_by_aks(object: &Value) -> bool {
    let labels = labels(object, "/metadata/labels");
    labels.contains_key("addonmanager.kubernetes.io/mode")
        || labels.get("kubernetes.azure.com/managedby").is_some_and(|by| by == "aks")
}

/// The tool that manages the object, by the marks that it leaves.
fn manager(object: &Value) -> Option<(&'static str, &str)> {
    let has = |key: &str| {
        ["labels", "annotations"].into_iter().any(|marks| {
            object.pointer(&format!("/metadata/{marks}")).is_some_and(|all| all.get(key).is_some())
        })
    };
    let manager = if has("argocd.argoproj.io/tracking-id") || has("argocd.argoproj.io/instance") {
        "Argo CD"
    } else if has("helm.toolkit.fluxcd.io/name") || has("kustomize.toolkit.fluxcd.io/name") {
        "Flux"
    } else if has("kapp.k14s.io/app") {
        "kapp-controller"
    } else {
        return None;
    };
    Some((manager, text(object, "/metadata/name")))
}

/// Both the script and the chart configure the server's certificate by these variables.
fn is_server(deployment: &Value) -> bool {
    let variables: Vec<&str> = array(deployment, "/spec/template/spec/containers/0/env")
        .map(|one| text(one, "/name"))
        .collect();
    ["TLS_CRT", "TLS_KEY"].iter().all(|name| variables.contains(name))
}

enum Which {
    WindowsGmsa,
    /// Looks like one for GMSA, but is not known.
    Unknown(&'static str),
    Another,
}

fn which(configuration: &Value) -> Which {
    let hooks = configuration.get("webhooks").and_then(Value::as_array);
    let hooks: Vec<&str> = hooks.into_iter().flatten().map(|hook| text(hook, "/name")).collect();
    let known = hooks.iter().filter(|name| **name == WEBHOOK).count();
    if known > 0 && known == hooks.len() {
        Which::WindowsGmsa
    } else if known > 0 {
        Which::Unknown("has other webhooks too")
    } else if is_gmsa_configuration(configuration) {
        Which::Unknown("is not a known installation of windows-gmsa")
    } else {
        Which::Another
    }
}

fn service_keys(configuration: &Value) -> Vec<Key> {
    let hooks = configuration.get("webhooks").and_then(Value::as_array);
    let key = |hook: &Value| {
        let part = |key: &str| hook.pointer(&format!("/clientConfig/service/{key}"))?.as_str();
        Some((part("namespace")?.to_owned(), part("name")?.to_owned()))
    };
    hooks.into_iter().flatten().filter_map(key).collect()
}

/// An object by which a live one is asked for.
pub fn reference(kind: Kind, (namespace, name): &Key) -> Value {
    let mut metadata = json!({"name": name});
    if kind.namespaced
        && let Some(metadata) = metadata.as_object_mut()
    {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_marked_by_aks, is_server_of_aks, manager};

    #[test]
    fn what_would_restore_it_is_known_by_its_marks() {
        for (marks, expected) in [
            (json!({"annotations": {"argocd.argoproj.io/tracking-id": "x"}}), Some("Argo CD")),
            (json!({"labels": {"argocd.argoproj.io/instance": "x"}}), Some("Argo CD")),
            (json!({"labels": {"helm.toolkit.fluxcd.io/name": "x"}}), Some("Flux")),
            (json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}}), Some("Flux")),
            // The standard packages of VMware's Kubernetes service.
            (json!({"labels": {"kapp.k14s.io/app": "1"}}), Some("kapp-controller")),
            (json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}}), None),
        ] {
            let object = json!({"metadata": marks});
            assert_eq!(manager(&object).map(|(manager, _)| manager), expected, "{object}");
        }
    }

    #[test]
    fn the_server_of_aks_is_known_by_its_name_or_by_its_image() {
        let deployment = |namespace: &str, name: &str, image: &str| {
            json!({"kind": "Deployment", "metadata": {"namespace": namespace, "name": name},
                "spec": {"template": {"spec": {"containers": [{"image": image}]}}}})
        };
        let (v1, v2) = (
            "mcr.microsoft.com/oss/kubernetes/windows-gmsa-webhook:v0.12.1",
            "mcr.microsoft.com/oss/v2/kubernetes/windows-gmsa-webhook:v0.12.1-17",
        );
        let named = "windows-gmsa-webhook-controller-manager";
        for (object, expected) in [
            (deployment("elsewhere", named, "example/webhook"), true),
            (deployment("kube-system", "gmsa", v1), true),
            (deployment("windows-gmsa-webhook-system", "gmsa", v2), true),
            // A user who installs Microsoft's image by the script of windows-gmsa.
            (deployment("gmsa-webhook", "gmsa-webhook", v2), false),
            (
                deployment("kube-system", "gmsa", "registry.k8s.io/gmsa-webhook/k8s-gmsa-webhook"),
                false,
            ),
            (json!({"kind": "Service", "metadata": {"name": named}}), false),
        ] {
            assert_eq!(is_server_of_aks(&object), expected, "{object}");
        }
        let marked = json!({"metadata": {"labels": {"kubernetes.azure.com/managedby": "aks"}}});
        assert!(is_marked_by_aks(&marked));
    }
}
