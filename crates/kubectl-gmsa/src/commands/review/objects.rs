//! Findings on the objects themselves: credential specs, roles, bindings.

use gmsa_cluster::manifests::ManifestSet;
use gmsa_core::credspec::lint;
use gmsa_core::credspec::name::{closest, is_pattern, is_valid_name, made_valid};
use gmsa_core::finding::{Code, Finding};

use super::report::ObjectFinding;

/// What is found on the objects of the files. With the cluster's facts, a name that is not in the
/// files may exist all the same.
pub fn findings(set: &ManifestSet, cluster: bool) -> Vec<ObjectFinding> {
    let mut found = Vec::new();
    for (name, spec) in &set.credential_specs {
        let object = format!("GMSACredentialSpec {name}");
        for finding in lint(name, &spec.object) {
            found.push(ObjectFinding::new(&object, Some(&spec.source), &finding));
        }
    }
    for unread in &set.unread {
        // Those of a workload are reported with it.
        if !set.workloads.iter().any(|workload| workload.document == unread.document) {
            found.push(ObjectFinding::new(&unread.object, Some(&unread.source), &unread.finding));
        }
    }
    roles(set, cluster, &mut found);
    if !cluster {
        bindings(set, &mut found);
    }
    found
}

fn roles(set: &ManifestSet, cluster: bool, found: &mut Vec<ObjectFinding>) {
    for (role, name) in set.policy.named() {
        let valid = is_valid_name(name);
        if valid && (cluster || set.credential_specs.contains_key(name)) {
            continue;
        }
        let names = set.credential_specs.keys().map(String::as_str);
        let instead = match closest(name, names.filter(|name| is_valid_name(name))) {
            _ if is_pattern(name) => {
                "; resourceNames takes whole names: list them, or leave resourceNames out to allow all"
                    .to_owned()
            }
            Some(close) => format!("; write \"{close}\""),
            None if valid => String::new(),
            None => {
                format!("; write \"{}\", as the credential spec must be called", made_valid(name))
            }
        };
        let why = if valid { "is not among the objects" } else { "is not a valid name" };
        found.push(ObjectFinding::new(
            &role,
            None,
            &Finding {
                code: Code::RoleNamesNoCredspec,
                message: format!("the credential spec \"{name}\" {why}{instead}"),
                path: Some("rules".to_owned()),
            },
        ));
    }
}

fn bindings(set: &ManifestSet, found: &mut Vec<ObjectFinding>) {
    for (binding, role) in set.policy.dangling() {
        found.push(ObjectFinding::new(
            &binding,
            None,
            &Finding {
                code: Code::BindingWithoutRole,
                message: format!("{role} is not among the objects"),
                path: Some("roleRef".to_owned()),
            },
        ));
    }
}
