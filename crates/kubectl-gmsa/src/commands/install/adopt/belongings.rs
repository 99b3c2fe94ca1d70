//! What belongs to a server of windows-gmsa: from its Service to its roles and secrets. What others
//! use as well stays.

use std::collections::BTreeSet;

use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::api::objects::{Kind, Objects, kinds};
use gmsa_cluster::api::value::{array, labels, text};
use gmsa_cluster::installation::Version;
use gmsa_cluster::installation::identify::is_ours;
use serde_json::{Value, json};

use super::found::{Found, Key, reference};
use crate::failure::Failure;
use crate::installation::FILLED_BY;

const CERT_MANAGER: &str = "cert-manager.io";
/// The keys of the Secret that the script makes.
const SCRIPT_SECRET: [&str; 2] = ["tls_certificate", "tls_private_key"];
/// The API groups that the roles of windows-gmsa are about.
const ROLE_GROUPS: [&str; 2] = ["authorization.k8s.io", "windows.k8s.io"];
/// The beginning of the label `chart` on objects of the charts.
const CHARTS: [&str; 3] = ["gmsa-", "rancher-windows-gmsa-", "rancher-gmsa-webhook-"];

/// Adds what belongs to these Services.
pub async fn add(
    objects: &Objects,
    applier: &Applier,
    version: Version,
    services: &BTreeSet<Key>,
    found: &mut Found,
) -> Result<(), Failure> {
    let mut belongings = Belongings::new(objects, applier, version);
    for service in services {
        belongings.of_service(service, found).await?;
    }
    belongings.roles(found).await
}

struct Belongings<'a> {
    objects: &'a Objects,
    applier: &'a Applier,
    version: Version,
    /// The service accounts of its servers.
    accounts: BTreeSet<Key>,
    /// Names of cluster roles that only the chart knows.
    chart_roles: Vec<String>,
}

impl<'a> Belongings<'a> {
    fn new(objects: &'a Objects, applier: &'a Applier, version: Version) -> Self {
        Self { objects, applier, version, accounts: BTreeSet::new(), chart_roles: Vec::new() }
    }

    /// What is behind a Service.
    async fn of_service(&mut self, key: &Key, found: &mut Found) -> Result<(), Failure> {
        let service = self.live(kinds::SERVICE, key).await?.filter(|live| !is_ours(live));
        let selector = service.as_ref().map(|service| labels(service, "/spec/selector"));
        let deployments = self.objects.list(kinds::DEPLOYMENT, Some(&key.0)).await?;
        let (its, others): (Vec<Value>, Vec<Value>) =
            deployments.into_iter().partition(|deployment| {
                let pods = labels(deployment, "/spec/template/metadata/labels");
                let is_behind = match &selector {
                    Some(selector) if !selector.is_empty() => {
                        selector.iter().all(|(key, value)| pods.get(key) == Some(value))
                    }
                    _ => text(deployment, "/metadata/name") == key.1,
                };
                is_behind && !is_ours(deployment)
            });
        for deployment in its {
            found.deployments.push(deployment.clone());
            found.rest.push(deployment);
        }
        found.rest.extend(service);
        let deployments: Vec<Value> = found
            .deployments
            .iter()
            .filter(|one| text(one, "/metadata/namespace") == key.0)
            .cloned()
            .collect();
        for deployment in &deployments {
            self.budgets(deployment, found).await?;
            self.account(deployment, &others, found).await?;
            self.of_chart(deployment, found).await?;
            self.secrets(deployment, found).await?;
        }
        Ok(())
    }

    async fn budgets(&self, deployment: &Value, found: &mut Found) -> Result<(), Failure> {
        let version = if self.version.has_policy_v1() { "v1" } else { "v1beta1" };
        let kind = Kind {
            group: "policy",
            version,
            kind: "PodDisruptionBudget",
            plural: "poddisruptionbudgets",
            namespaced: true,
        };
        let pods = labels(deployment, "/spec/template/metadata/labels");
        for budget in self.objects.list(kind, Some(text(deployment, "/metadata/namespace"))).await?
        {
            let selector = labels(&budget, "/spec/selector/matchLabels");
            let is_its = !selector.is_empty()
                && selector.iter().all(|(key, value)| pods.get(key) == Some(value));
            if is_its && !is_ours(&budget) && !found.has(&budget) {
                found.rest.push(budget);
            }
        }
        Ok(())
    }

    async fn account(
        &mut self,
        deployment: &Value,
        others: &[Value],
        found: &mut Found,
    ) -> Result<(), Failure> {
        let namespace = text(deployment, "/metadata/namespace");
        let name = text(deployment, "/spec/template/spec/serviceAccountName");
        if name.is_empty() || name == "default" {
            return Ok(());
        }
        let key = (namespace.to_owned(), name.to_owned());
        let its = labels(deployment, "/spec/template/metadata/labels");
        let pods = self.objects.list(kinds::POD, Some(namespace)).await?;
        let belongs_to_another = |pod: &Value| {
            let of = labels(pod, "/metadata/labels");
            text(pod, "/spec/serviceAccountName") == name
                && !its.iter().all(|(key, value)| of.get(key) == Some(value))
        };
        let is_shared = pods.iter().any(belongs_to_another)
            || others
                .iter()
                .any(|other| text(other, "/spec/template/spec/serviceAccountName") == name);
        if is_shared {
            found.stays.push(format!(
                "ServiceAccount {namespace}/{name} stays, and its rights: others run as it"
            ));
            return Ok(());
        }
        if let Some(live) = self.live(kinds::SERVICE_ACCOUNT, &key).await?
            && !is_ours(&live)
            && !found.has(&live)
        {
            found.rest.push(live);
        }
        self.accounts.insert(key);
        Ok(())
    }

    /// The chart's other objects: a role for viewers, and requests to cert-manager.
    async fn of_chart(&mut self, deployment: &Value, found: &mut Found) -> Result<(), Failure> {
        let chart = text(deployment, "/metadata/labels/chart");
        if !CHARTS.iter().any(|start| chart.starts_with(start)) {
            return Ok(());
        }
        let namespace = text(deployment, "/metadata/namespace");
        let release = text(deployment, "/metadata/name");
        self.chart_roles.push(format!("{release}-viewer-role"));
        let of = |kind: &'static str, namespaced| Kind {
            group: CERT_MANAGER,
            version: "v1",
            kind,
            plural: "",
            namespaced,
        };
        let authority = format!("{release}-ca");
        for (kind, name) in [
            (of("Certificate", true), release),
            (of("Certificate", true), &*authority),
            (of("Issuer", true), release),
            (of("ClusterIssuer", false), &*authority),
        ] {
            let key = (namespace.to_owned(), name.to_owned());
            let live = self.live(kind, &key).await?;
            found.rest.extend(live.filter(|live| !is_ours(live)));
        }
        // Rancher's chart lets everything through to its namespace.
        let policies = Kind {
            group: "networking.k8s.io",
            version: "v1",
            kind: "NetworkPolicy",
            plural: "networkpolicies",
            namespaced: true,
        };
        let policies = self.objects.list(policies, Some(namespace)).await?.into_iter();
        let policies: Vec<Value> = policies
            .filter(|one| text(one, "/metadata/labels/chart") == chart && !is_ours(one))
            .filter(|one| !found.has(one))
            .collect();
        found.rest.extend(policies);
        // cert-manager keeps it when the Certificate is deleted.
        let root = (namespace.to_owned(), format!("{release}-root-ca"));
        let root = self.live(kinds::SECRET, &root).await?;
        found.rest.extend(root.filter(|live| is_made(live, release)));
        Ok(())
    }

    async fn secrets(&self, deployment: &Value, found: &mut Found) -> Result<(), Failure> {
        let namespace = text(deployment, "/metadata/namespace");
        let release = text(deployment, "/metadata/name");
        for volume in array(deployment, "/spec/template/spec/volumes") {
            let name = text(volume, "/secret/secretName");
            if name.is_empty() {
                continue;
            }
            let key = (namespace.to_owned(), name.to_owned());
            let Some(secret) = self.live(kinds::SECRET, &key).await? else { continue };
            if is_made(&secret, release) {
                if !found.has(&secret) {
                    found.rest.push(secret);
                }
            } else {
                found.stays.push(format!(
                    "Secret {namespace}/{name} stays: the release did not create it; it is no longer \
                    needed"
                ));
            }
        }
        Ok(())
    }

    /// The bindings of its service accounts, and the roles without other bindings.
    async fn roles(&self, found: &mut Found) -> Result<(), Failure> {
        let mut bindings = Vec::new();
        for kind in [kinds::CLUSTER_ROLE_BINDING, kinds::ROLE_BINDING] {
            bindings.extend(self.objects.list(kind, None).await?);
        }
        let (its, others): (Vec<Value>, Vec<Value>) = bindings
            .into_iter()
            .filter(|binding| !is_ours(binding))
            .partition(|binding| self.is_of_accounts(binding));
        let role_of = |binding: &Value| {
            let kind = text(binding, "/roleRef/kind").to_owned();
            let namespace = match &*kind {
                "Role" => text(binding, "/metadata/namespace").to_owned(),
                _ => String::new(),
            };
            (kind, (namespace, text(binding, "/roleRef/name").to_owned()))
        };
        let mut roles: BTreeSet<(String, Key)> = its.iter().map(role_of).collect();
        let chart_roles = self.chart_roles.iter();
        roles.extend(
            chart_roles.map(|name| ("ClusterRole".to_owned(), (String::new(), name.clone()))),
        );
        let used: BTreeSet<(String, Key)> = others.iter().map(role_of).collect();
        found.rest.extend(its);
        for (kind, key) in roles {
            let role = if kind == "Role" { kinds::ROLE } else { kinds::CLUSTER_ROLE };
            let Some(live) = self.live(role, &key).await? else { continue };
            let is_its = array(&live, "/rules").next().is_some()
                && array(&live, "/rules").all(|rule| {
                    array(rule, "/apiGroups")
                        .all(|group| group.as_str().is_some_and(|one| ROLE_GROUPS.contains(&one)))
                });
            if !is_its || is_ours(&live) {
                continue;
            }
            if used.contains(&(kind.clone(), key.clone())) {
                found.stays.push(format!("{kind} {} stays: others are bound to it", key.1));
            } else {
                found.rest.push(live);
            }
        }
        Ok(())
    }

    /// Whether all its subjects are service accounts of the servers.
    fn is_of_accounts(&self, binding: &Value) -> bool {
        let of = text(binding, "/metadata/namespace");
        let is_its = |subject: &Value| {
            let namespace = match text(subject, "/namespace") {
                "" => of,
                namespace => namespace,
            };
            text(subject, "/kind") == "ServiceAccount"
                && self
                    .accounts
                    .contains(&(namespace.to_owned(), text(subject, "/name").to_owned()))
        };
        array(binding, "/subjects").next().is_some() && array(binding, "/subjects").all(is_its)
    }

    async fn live(&self, kind: Kind, key: &Key) -> Result<Option<Value>, Failure> {
        Ok(self.applier.live(&reference(kind, key)).await?)
    }
}

/// Whether the script made the Secret, or cert-manager did for the chart.
fn is_made(secret: &Value, release: &str) -> bool {
    let keys: Vec<&String> = secret
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(k, _)| k)
        .collect();
    let of = secret.pointer("/metadata/annotations").and_then(|all| all.get(FILLED_BY).cloned());
    keys == SCRIPT_SECRET
        || of.is_some_and(|of| of == json!(release) || of == json!(format!("{release}-ca")))
}
