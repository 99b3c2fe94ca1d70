//! What the other installation was set to, as far as ours has the same.

use std::collections::BTreeMap;

use gmsa_cluster::api::value::{array, labels, text};
use gmsa_cluster::installation::Options;
use serde_json::{Value, json};

use super::found::Found;

/// Options that behave like the other installation; options on the command line override them.
pub fn options(found: &Found) -> Options {
    let known = Options::default();
    let viewer_role = found.rest.iter().any(|role| {
        let labels = labels(role, "/metadata/labels");
        labels.get("rbac.authorization.k8s.io/aggregate-to-view").is_some_and(|on| on == "true")
    });
    let Some(deployment) = found.deployments.first() else {
        return Options { viewer_role, ..known };
    };
    let replicas = deployment.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    let pod = deployment.pointer("/spec/template/spec").unwrap_or(&Value::Null);
    let random_hostname = array(pod, "/containers/0/env")
        .filter(|one| text(one, "/name") == "RANDOM_HOSTNAME")
        .any(|one| ["1", "t", "T", "true", "TRUE", "True"].contains(&text(one, "/value")));
    let class = text(pod, "/priorityClassName");
    let os = ["kubernetes.io/os", "beta.kubernetes.io/os"];
    let mut node_selector: BTreeMap<String, String> = labels(pod, "/nodeSelector");
    node_selector.retain(|key, _| !os.contains(&key.as_str()));
    // Rules about its own other pods do not apply to ours.
    let affinity =
        pod.pointer("/affinity/nodeAffinity").map(|affinity| json!({"nodeAffinity": affinity}));
    Options {
        replicas: known.replicas.max(u32::try_from(replicas).unwrap_or(u32::MAX)),
        random_hostname,
        host_network: pod.get("hostNetwork") == Some(&json!(true)),
        priority_class: (!class.is_empty()).then(|| class.to_owned()),
        node_selector,
        tolerations: array(pod, "/tolerations").cloned().collect(),
        affinity,
        viewer_role,
        ..known
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::found::Found;
    use super::options;

    #[test]
    fn what_it_was_set_to_stays_so() {
        let deployment = json!({"kind": "Deployment", "spec": {"replicas": 3, "template": {"spec": {
            "hostNetwork": true, "priorityClassName": "high",
            "nodeSelector": {"kubernetes.io/os": "linux", "pool": "infra"},
            "tolerations": [{"key": "infra", "operator": "Exists"}],
            "affinity": {"podAntiAffinity": {}, "nodeAffinity": {"x": []}},
            "containers": [{"env": [{"name": "RANDOM_HOSTNAME", "value": "true"}]}]}}}});
        let found = Found { deployments: vec![deployment], ..Found::default() };
        let options = options(&found);
        assert_eq!((options.replicas, options.random_hostname), (3, true));
        assert!(options.host_network && !options.viewer_role);
        assert_eq!(options.priority_class.as_deref(), Some("high"));
        assert_eq!(options.node_selector.keys().collect::<Vec<_>>(), ["pool"]);
        assert_eq!(options.tolerations.len(), 1);
        assert_eq!(options.affinity, Some(json!({"nodeAffinity": {"x": []}})));
    }
}
