//! Unused rights, and roles that name credential specs that do not exist.

use std::collections::{BTreeMap, BTreeSet};

use gmsa_core::credspec::name::is_pattern;
use gmsa_core::finding::Code;
use gmsa_core::grant::role_name;
use gmsa_core::printable::listed;
use gmsa_core::rbac::{Grant, Policy};
use serde_json::Value;

use super::{Error, Finding, Gathered, Object, read};
use crate::api::objects::{Objects, kinds};

/// How many names of credential specs a message has, and how many its evidence.
const SHOWN: usize = 3;
const ALL_SHOWN: usize = 100;

/// Reads the roles and bindings and compares them with who uses what.
pub(super) async fn all(
    gathered: &mut Gathered,
    objects: &Objects,
    specs: &BTreeMap<String, Value>,
) -> Result<(), Error> {
    let namespace = gathered.scope.namespace.clone();
    let mut policy = Policy::of_cluster();
    for kind in [kinds::CLUSTER_ROLE, kinds::CLUSTER_ROLE_BINDING, kinds::ROLE, kinds::ROLE_BINDING]
    {
        let unread = &mut gathered.audit.unread;
        let found = read::list(objects, kind, namespace.as_deref(), unread).await?;
        let Some(found) = found else { return Ok(()) };
        for object in &found {
            policy.add(object, "")?;
        }
    }
    near_misses(gathered, &policy);
    let named: BTreeSet<(String, &str)> = policy.named().collect();
    for (role, name) in &named {
        let object = object(role);
        // Of one namespace its own roles: the others are no matter of it.
        let is_asked = namespace.is_none() || object.namespace == namespace;
        if specs.contains_key(*name) || !is_asked {
            continue;
        }
        let instead = if is_pattern(name) {
            "; resourceNames takes whole names: list them, or leave resourceNames out to allow all"
        } else {
            ""
        };
        let message =
            format!("the credential spec \"{name}\" that it names does not exist{instead}");
        gathered.audit.findings.push(
            Finding::new(&object, Code::RoleNamesNoCredspec, message)
                .with_evidence(vec!["rules".to_owned()]),
        );
    }
    // What could not be read may use any right.
    if !gathered.complete {
        return Ok(());
    }
    let existing: BTreeSet<&str> =
        named.iter().map(|(_, name)| *name).filter(|name| specs.contains_key(*name)).collect();
    for (of, account) in policy.accounts() {
        if namespace.as_deref().is_some_and(|namespace| namespace != of) {
            continue;
        }
        // A role may name a thousand: what one binding gives is one finding.
        let mut alike: BTreeMap<Vec<Grant>, Vec<&str>> = BTreeMap::new();
        for name in &existing {
            if gathered.uses.contains(&[of, account, name].map(str::to_owned)) {
                continue;
            }
            let mut ways = policy.grants(of, account, name);
            ways.retain(by_name);
            if !ways.is_empty() {
                alike.entry(ways).or_default().push(name);
            }
        }
        let found = alike.iter().map(|(ways, names)| unused(of, account, names, ways));
        gathered.audit.findings.extend(found);
    }
    Ok(())
}

/// Adds to what would be denied which role or binding was meant to allow it.
fn near_misses(gathered: &mut Gathered, policy: &Policy) {
    for (object, [namespace, account, name]) in std::mem::take(&mut gathered.without_right) {
        let near = policy.near_misses(&namespace, &account, &name);
        let is_of_it = |finding: &&mut Finding| {
            finding.object == object && finding.code == Code::WorkloadWouldBeDenied
        };
        if let Some(finding) = gathered.audit.findings.iter_mut().find(is_of_it) {
            for line in near.into_iter().map(|near| format!("close: {near}")) {
                if !finding.evidence.contains(&line) {
                    finding.evidence.push(line);
                }
            }
        }
    }
}

/// Whether the right is given to this account and of this name: wildcards and groups are for
/// others too.
fn by_name(grant: &Grant) -> bool {
    !grant.wildcard && !grant.subject.starts_with("Group ")
}

fn way(grant: &Grant) -> String {
    format!("{} -> {}", grant.binding, grant.role)
}

/// The finding of credential specs that a service account may use in the same ways, and does not.
fn unused(namespace: &str, account: &str, names: &[&str], ways: &[Grant]) -> Finding {
    let object = Object::namespaced("ServiceAccount", namespace, account);
    let quoted = || names.iter().map(|name| format!("\"{name}\""));
    let (what, these) = match names {
        [name] => (format!("credential spec \"{name}\""), format!("\"{name}\"")),
        _ => (
            format!("{} credential specs ({})", names.len(), listed(quoted(), SHOWN)),
            "their names".to_owned(),
        ),
    };
    let message = format!("it may use {what}, and nothing that runs as it does");
    let is_revoked = |way: &&Grant, name: &&&str| is_revoked(way, namespace, account, name);
    let mut steps: Vec<String> = Vec::new();
    for name in names.iter().filter(|name| ways.iter().any(|way| is_revoked(&way, name))) {
        steps.push(format!("kubectl gmsa revoke {name} --from {namespace}/{account}"));
    }
    // Roles and bindings of others: revoke does not change them.
    for way in ways.iter().filter(|way| !names.iter().any(|name| is_revoked(way, &name))) {
        steps.push(format!(
            "remove {} from {}, or {these} from the rules of {}",
            way.subject, way.binding, way.role
        ));
    }
    let it = if names.len() == 1 { "it is" } else { "they are" };
    let remedy = format!("If {it} not needed: {}", steps.join("; "));
    let mut evidence: Vec<String> = ways.iter().map(way).collect();
    if names.len() > SHOWN {
        evidence.push(listed(quoted(), ALL_SHOWN));
    }
    Finding::new(&object, Code::RightUnused, message).with_evidence(evidence).with_remedy(remedy)
}

/// Whether `kubectl gmsa revoke` removes it: made by `kubectl gmsa grant`, or by the command in a denial.
fn is_revoked(way: &Grant, namespace: &str, account: &str, name: &str) -> bool {
    let own = role_name(name);
    let pair = format!("{own}:{account}");
    let is = |of: &str, role: String| {
        way.binding == format!("RoleBinding {namespace}/{of}") && way.role == role
    };
    is(&own, format!("ClusterRole {own}")) || is(&pair, format!("Role {namespace}/{pair}"))
}

/// The object of a label such as `Role shop/web`.
fn object(label: &str) -> Object {
    let (kind, name) = label.split_once(' ').unwrap_or(("", label));
    match name.split_once('/') {
        Some((namespace, name)) => Object::namespaced(kind, namespace, name),
        None => Object::cluster(kind, name),
    }
}
