//! What is read of the cluster.

use std::collections::BTreeSet;

use gmsa_cluster::api::objects::{Kind, Objects, kinds};
use gmsa_cluster::api::value::{self, name};
use gmsa_core::rbac::Policy;
use serde_json::Value;

use super::uses::{self, Use};
use crate::cli::Access;
use crate::failure::Failure;
use crate::rights::policy;

/// Objects of a cluster about the use of credential specs.
pub struct Gathered {
    /// What the roles and bindings allow.
    pub policy: Policy,
    /// The credential specs that exist.
    pub specs: BTreeSet<String>,
    /// The service accounts that exist, as namespace and name.
    pub accounts: BTreeSet<(String, String)>,
    /// Who uses what.
    pub uses: BTreeSet<Use>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}

/// Reads the objects in question.
pub async fn all(objects: &Objects, args: &Access) -> Result<Gathered, Failure> {
    let namespace = args
        .service_account
        .as_ref()
        .map(|account| account.namespace.as_str())
        .or(args.namespace.as_deref());
    let mut unread = Vec::new();
    let mut rules = Vec::new();
    for kind in [kinds::CLUSTER_ROLE, kinds::CLUSTER_ROLE_BINDING, kinds::ROLE, kinds::ROLE_BINDING]
    {
        rules.extend(required(objects, kind, namespace).await?);
    }
    let specs = objects.list_known(kinds::CREDENTIAL_SPEC, None).await?;
    let accounts = required(objects, kinds::SERVICE_ACCOUNT, namespace).await?;
    let mut workloads = Vec::new();
    for kind in [kinds::POD].into_iter().chain(kinds::TEMPLATES) {
        match objects.list(kind, namespace).await {
            Ok(found) => workloads.extend(found),
            Err(error) if matches!(error.code(), Some(403 | 404)) => unread.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    let (uses, unreadable) = uses::all(workloads);
    unread.extend(unreadable);
    Ok(Gathered {
        policy: policy(rules.iter())?,
        specs: specs.iter().map(|spec| name(spec).to_owned()).collect(),
        accounts: accounts
            .iter()
            .map(|account| (value::namespace(account).to_owned(), name(account).to_owned()))
            .collect(),
        uses,
        unread,
    })
}

async fn required(
    objects: &Objects,
    kind: Kind,
    namespace: Option<&str>,
) -> Result<Vec<Value>, Failure> {
    objects.list(kind, namespace).await.map_err(|error| {
        let hint = match (error.code(), namespace) {
            (Some(403), None) => {
                "; access needs the right to list roles, rolebindings, clusterroles, \
                 clusterrolebindings and serviceaccounts; with -n those in namespaces only there"
            }
            (Some(403), Some(_)) => {
                "; access needs the right to list roles, rolebindings and serviceaccounts there, \
                 and clusterroles and clusterrolebindings"
            }
            _ => "",
        };
        Failure::Cluster(format!("{error}{hint}"))
    })
}
