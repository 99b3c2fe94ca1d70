//! What in a cluster uses a credential spec. The search is bounded, because a user waits for it.

use std::time::Instant;

use futures::future::join_all;
use gmsa_core::names::FIELD_MANAGER;
use gmsa_core::pod::Pod;
use gmsa_core::rbac::Policy;
use kube::Client;
use serde_json::Value;
use tokio::time::timeout_at;

use crate::api::objects::{Kind, Objects, kinds};
use crate::installation::identify::is_alive;
use crate::manifests::Workload;

/// How many answers are read of one kind.
const PAGES: usize = 80;
/// How many names of users are kept.
const NAMES: usize = 3;
/// The workloads that are searched in addition to pods: those that early warnings check.
const LOOKED_AT: [&str; 6] =
    ["deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs"];

/// What uses a credential spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// What makes pods, as `Deployment shop/web`; not what belongs to another workload.
    pub workloads: Found,
    /// Pods that have not ended, as `shop/web-1`.
    pub pods: Found,
    /// Roles that name it, as `ClusterRole gmsa-use-web`.
    pub roles: Found,
    /// The resources that were not searched, or not completely, each with the reason.
    pub unread: Vec<(&'static str, Unread)>,
}

/// Why a resource was not searched completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The right to list it is missing.
    Forbidden,
    /// It took too long, or there are too many.
    TooMany,
    /// The API server did not answer as it should.
    Failed,
}

/// Some things that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub count: usize,
    /// The names of the first.
    pub names: Vec<String>,
}

impl Found {
    fn add(&mut self, name: String) {
        self.count += 1;
        if self.names.len() < NAMES {
            self.names.push(name);
        }
    }
}

/// Looks for what uses the credential spec until the deadline.
pub async fn of(client: &Client, name: &str, deadline: Instant) -> References {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    let workloads = kinds::TEMPLATES.into_iter().filter(|kind| LOOKED_AT.contains(&kind.plural));
    let mut all = vec![kinds::POD];
    all.extend(workloads.chain([kinds::CLUSTER_ROLE, kinds::ROLE]));
    let asked = all.iter().map(|kind| candidates(&objects, *kind, name, deadline));
    let mut references = References::default();
    for (kind, (objects, unread)) in all.iter().zip(join_all(asked).await) {
        if let Some(why) = unread {
            references.unread.push((kind.plural, why));
        }
        if kind.group == kinds::ROLE.group {
            references.add_roles(&objects, name);
        } else {
            references.add_workloads(objects, name);
        }
    }
    references
}

/// The objects of a kind whose text contains the name.
async fn candidates(
    objects: &Objects,
    mut kind: Kind,
    name: &str,
    deadline: Instant,
) -> (Vec<Value>, Option<Unread>) {
    let mut found = Vec::new();
    let mut from = None;
    for _ in 0..PAGES {
        let asked = objects.page(kind, None, from);
        let page = match timeout_at(deadline.into(), asked).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                let why = match error.code() {
                    Some(404) => None,
                    Some(403) => Some(Unread::Forbidden),
                    _ => Some(Unread::Failed),
                };
                return (found, why);
            }
            Err(_) => return (found, Some(Unread::TooMany)),
        };
        kind = page.kind;
        let Ok((items, next)) = page.items() else { return (found, Some(Unread::Failed)) };
        // Most objects have nothing to do with it, and are not read further.
        for item in items.into_iter().filter(|item| item.contains(name)) {
            let Ok(mut object) = serde_json::from_str::<Value>(item) else { continue };
            kind.name_in(&mut object);
            if is_alive(&object) {
                found.push(object);
            }
        }
        if next.is_none() {
            return (found, None);
        }
        from = next;
    }
    (found, Some(Unread::TooMany))
}

impl References {
    fn add_workloads(&mut self, objects: Vec<Value>, name: &str) {
        for value in objects {
            let Some(workload) = Workload::of(&value, "") else { continue };
            let text = workload.pod(&value).to_string();
            let Ok(pod) = serde_json::from_str::<Pod<'_>>(&text) else { continue };
            if !pod.references().any(|reference| reference.name == Some(name)) {
                continue;
            }
            let place = format!("{}/{}", workload.namespace, workload.name);
            if workload.kind == "Pod" {
                self.pods.add(place);
            } else {
                self.workloads.add(format!("{} {place}", workload.kind));
            }
        }
    }

    fn add_roles(&mut self, objects: &[Value], name: &str) {
        let mut policy = Policy::default();
        for object in objects {
            // One that cannot be read grants nothing either.
            let _ = policy.add(object, "");
        }
        for (role, _) in policy.named().filter(|(_, named)| *named == name) {
            self.roles.add(role);
        }
    }

    /// Whether the search was complete and found nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
