//! What the policy engine has in the cluster in addition to its policies: the definition of the index, and the
//! rights of the server that keeps it.

use gmsa_core::names::{DOMAIN, INDEX, INDEX_KEEPER, INDEX_PLURAL, NAME};
use serde_json::{Value, json};

use super::engine::index_definition;
use super::rbac::{binding_to, role};
use super::{Certificates, Options, Version};

pub(super) fn objects(options: &Options, version: Version) -> Vec<Value> {
    if !options.has_policy_engine(version) {
        return Vec::new();
    }
    let namespace = Some(options.namespace.as_str());
    let rules = [
        // A right to create cannot name what is to be created.
        json!({"apiGroups": [DOMAIN], "resources": [INDEX_PLURAL],
            "verbs": ["create", "list", "watch"]}),
        json!({"apiGroups": [DOMAIN], "resources": [INDEX_PLURAL], "resourceNames": [INDEX],
            "verbs": ["get", "update"]}),
    ];
    let mut cluster_rules = rules.to_vec();
    if options.certificates == Certificates::SelfManaged {
        cluster_rules.push(json!({"apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["validatingwebhookconfigurations"],
            "resourceNames": [INDEX_KEEPER], "verbs": ["get", "watch", "patch"]}));
    }
    let events = [json!({"apiGroups": [""], "resources": ["events"], "verbs": ["create"]})];
    vec![
        serde_json::to_value(index_definition()).unwrap_or_default(),
        role("ClusterRole", INDEX_KEEPER, None, &cluster_rules),
        binding_to(NAME, "ClusterRoleBinding", INDEX_KEEPER, options, None),
        role("Role", INDEX_KEEPER, namespace, &events),
        binding_to(NAME, "RoleBinding", INDEX_KEEPER, options, namespace),
    ]
}
