//! What the other installation was set to, as far as ours has the same.

use std::collections::BTreeMap;

use gmsa_cluster::install::Options;
use serde_json::{Value, json};

use super::found::{Found, labels, list, text};

/// The options that behave as the other installation does; what is said on the command line counts
/// more.
pub(super) fn options(found: &Found) -> Options {
    let mut options = Options::default();
    options.viewer_role = found.rest.iter().any(|role| {
        let labels = labels(role, "/metadata/labels");
        labels.get("rbac.authorization.k8s.io/aggregate-to-view").is_some_and(|on| on == "true")
    });
    let Some(deployment) = found.deployments.first() else { return options };
    let replicas = deployment.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    options.replicas = options.replicas.max(u32::try_from(replicas).unwrap_or(u32::MAX));
    let pod = deployment.pointer("/spec/template/spec").unwrap_or(&Value::Null);
    let variables = list(pod, "/containers/0/env");
    let random = variables.filter(|one| text(one, "/name") == "RANDOM_HOSTNAME");
    options.random_hostname = random
        .map(|one| text(one, "/value"))
        .any(|on| ["1", "t", "T", "true", "TRUE", "True"].contains(&on));
    options.host_network = pod.get("hostNetwork") == Some(&json!(true));
    let class = text(pod, "/priorityClassName");
    options.priority_class = (!class.is_empty()).then(|| class.to_owned());
    let os = ["kubernetes.io/os", "beta.kubernetes.io/os"];
    let mut selector: BTreeMap<String, String> = labels(pod, "/nodeSelector");
    selector.retain(|key, _| !os.contains(&key.as_str()));
    options.node_selector = selector;
    options.tolerations = list(pod, "/tolerations").cloned().collect();
    // What is said of other pods of its own does not hold for ours.
    options.affinity =
        pod.pointer("/affinity/nodeAffinity").map(|affinity| json!({"nodeAffinity": affinity}));
    options
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
