//! What is read of the cluster.

use std::collections::BTreeSet;

use gmsa_cluster::api::Error;
use gmsa_cluster::api::objects::{Objects, kinds};
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
    /// Whether all of them could be read.
    pub knows_policy: bool,
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
    // About one pair the API server's own answer is enough.
    let pair = args.credential_spec.as_ref().zip(args.service_account.as_ref());
    let pair = pair.filter(|_| !args.no_verify);
    let mut unread = Vec::new();
    let mut rules = Vec::new();
    let mut knows_policy = true;
    for kind in [kinds::CLUSTER_ROLE, kinds::CLUSTER_ROLE_BINDING, kinds::ROLE, kinds::ROLE_BINDING]
    {
        match objects.list(kind, namespace).await {
            Ok(found) => rules.extend(found),
            Err(error) if pair.is_some() && error.is_forbidden() => {
                if std::mem::take(&mut knows_policy) {
                    unread.push(format!("{error}; what gives the right is not known"));
                }
            }
            Err(error) => return Err(needed(&error, namespace)),
        }
    }
    let specs = match objects.list_known(kinds::CREDENTIAL_SPEC, None).await {
        Err(error) if error.is_forbidden() => {
            let Some((name, _)) = pair else { return Err(error.into()) };
            unread.push(format!("{error}; whether {name} exists is not known"));
            BTreeSet::from([name.clone()])
        }
        listed => listed?.iter().map(|spec| name(spec).to_owned()).collect(),
    };
    let accounts = match objects.list(kinds::SERVICE_ACCOUNT, namespace).await {
        Ok(accounts) => {
            let named = |one: &Value| (value::namespace(one).to_owned(), name(one).to_owned());
            accounts.iter().map(named).collect()
        }
        Err(error) => {
            let pair = pair.filter(|_| error.is_forbidden());
            let Some((_, account)) = pair else { return Err(needed(&error, namespace)) };
            unread.push(format!("{error}; whether {} exists is not known", account.name));
            BTreeSet::from([(account.namespace.clone(), account.name.clone())])
        }
    };
    let mut workloads = Vec::new();
    for kind in [kinds::POD].into_iter().chain(kinds::TEMPLATES) {
        match objects.list(kind, namespace).await {
            Ok(found) => workloads.extend(found),
            Err(error) if matches!(error.code(), Some(403 | 404)) => {
                unread.push(format!("{error}; who uses what is not complete"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let (uses, unreadable) = uses::all(workloads);
    unread
        .extend(unreadable.into_iter().map(|one| format!("{one}; who uses what is not complete")));
    let policy = policy(rules.iter())?;
    Ok(Gathered { policy, knows_policy, specs, accounts, uses, unread })
}

/// The error of what the map cannot do without.
fn needed(error: &Error, namespace: Option<&str>) -> Failure {
    let hint = match (error.code(), namespace) {
        (Some(403), None) => {
            "; access needs the right to list roles, rolebindings, clusterroles, clusterrolebindings and \
             serviceaccounts; with -n those in namespaces only there. Whether one service account may use \
             one credential spec, which you can name, needs only the right to create \
             localsubjectaccessreviews there"
        }
        (Some(403), Some(_)) => {
            "; access needs the right to list roles, rolebindings and serviceaccounts there, and \
             clusterroles and clusterrolebindings; for one credential spec and one service account, \
             which you can name, the right to create localsubjectaccessreviews there is enough"
        }
        _ => "",
    };
    Failure::Cluster(format!("{error}{hint}"))
}
