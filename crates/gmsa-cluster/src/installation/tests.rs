use gmsa_core::names::{PROBE_LABEL, TAKEOVER};
use serde_json::{Value, json};

use super::{Certificates, NamespaceRequirement, Options, Version, beside, objects};

const NEW: Version = Version(1, 36);
const OLD: Version = Version(1, 20);

fn all(options: &Options, version: Version) -> Vec<Value> {
    objects(options, version).iter().cloned().collect()
}

fn find<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap()
}

#[test]
fn versions_are_read_in_every_spelling() {
    for text in ["1.28", "v1.28.3", "1.28+", "v1.28.3-gke.100"] {
        assert_eq!(text.parse(), Ok(Version(1, 28)), "{text}");
    }
    for text in ["", "1", "one.two", "latest"] {
        assert!(text.parse::<Version>().unwrap_err().contains("such as 1.28"), "{text}");
    }
}

#[test]
fn what_is_sent_fits_the_version() {
    let (old, new) = (all(&Options::default(), OLD), all(&Options::default(), NEW));
    let webhook = |objects: &[Value], kind: &str| find(objects, kind)["webhooks"][0].clone();
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        let (old, new) = (webhook(&old, kind), webhook(&new, kind));
        assert!(old.get("matchConditions").is_none() && new.get("matchConditions").is_some());
        assert!(old["namespaceSelector"].to_string().contains("disabled"), "{old}");
        // Set explicitly, so that an apply removes what another manager wrote there.
        for hook in [&old, &new] {
            assert_eq!(hook["objectSelector"], json!({}));
        }
        assert_eq!(new["namespaceSelector"], json!({}));
    }
    assert_eq!(find(&old, "PodDisruptionBudget")["apiVersion"], "policy/v1beta1");
    assert_eq!(find(&new, "PodDisruptionBudget")["apiVersion"], "policy/v1");
    let kube_system = |objects: &[Value]| {
        objects.iter().any(|object| object["metadata"]["name"] == "kube-system")
    };
    assert!(kube_system(&old) && !kube_system(&new));
}

#[test]
fn validation_never_lets_pass_what_it_did_not_see() {
    let options = Options { mutating_may_be_skipped: true, ..Options::default() };
    for version in [OLD, NEW] {
        let objects = all(&options, version);
        let policy = |kind: &str| find(&objects, kind)["webhooks"][0]["failurePolicy"].clone();
        assert_eq!(policy("MutatingWebhookConfiguration"), "Ignore");
        assert_eq!(policy("ValidatingWebhookConfiguration"), "Fail");
    }
}

#[test]
fn no_manifest_contains_a_ca_bundle_or_a_null() {
    fn nulls(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(list) => list.iter().any(nulls),
            Value::Object(map) => map.values().any(nulls),
            _ => false,
        }
    }
    for certificates in [Certificates::SelfManaged, Certificates::CertManager, Certificates::Files]
    {
        let options = Options { certificates, viewer_role: true, ..Options::default() };
        for object in all(&options, NEW) {
            assert!(!object.to_string().contains("caBundle") && !nulls(&object), "{object:#}");
        }
    }
}

#[test]
fn certificates_of_others_are_mounted_and_their_ca_injected_and_no_right_to_secrets_asked() {
    let options = Options { certificates: Certificates::CertManager, ..Options::default() };
    let objects = all(&options, NEW);
    let pod = &find(&objects, "Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["volumes"][0]["secret"]["secretName"], "gmsa-webhook-certificates");
    assert_eq!(
        find(&objects, "MutatingWebhookConfiguration")["metadata"]["annotations"],
        json!({
            "admissions.enforcer/disabled": "true",
            "cert-manager.io/inject-ca-from": "gmsa-webhook/gmsa-webhook-ca",
        })
    );
    assert!(!objects.iter().any(|object| object["kind"] == "Role"));
}

#[test]
fn the_namespace_enforces_what_the_pods_keep_to() {
    let level = |options: &Options| {
        all(options, NEW)[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"].clone()
    };
    assert_eq!(level(&Options::default()), "restricted");
    assert_eq!(level(&Options { host_network: true, ..Options::default() }), "privileged");
}

#[test]
fn options_of_an_earlier_version_are_read_and_omitted_ones_are_not_stored() {
    let kept = serde_json::to_value(Options::default()).unwrap();
    for added in ["tolerations", "resources", "dashboard", "namespaceRequirements"] {
        assert!(kept.get(added).is_none(), "{kept}");
    }
    assert_eq!(serde_json::from_value::<Options>(kept).unwrap(), Options::default());
    let options = Options {
        tolerations: vec![json!({"key": "a", "operator": "Exists"})],
        dashboard: true,
        ..Options::default()
    };
    let kept = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<Options>(&kept).unwrap(), options);
}

#[test]
fn namespaces_that_opted_out_elsewhere_are_left_out_by_every_webhook_for_pods() {
    let requirement = NamespaceRequirement {
        key: "windows.k8s.io/disabled".to_owned(),
        operator: "NotIn".to_owned(),
        values: vec!["true".to_owned()],
    };
    let options = Options {
        namespace_requirements: vec![requirement.clone()],
        early_warnings: true,
        ..Options::default()
    };
    for (version, count) in [(OLD, 2), (NEW, 1)] {
        for object in objects(&options, version).webhooks {
            let selector = &object["webhooks"][0]["namespaceSelector"]["matchExpressions"];
            let selector: Vec<NamespaceRequirement> =
                serde_json::from_value(selector.clone()).unwrap();
            assert!(selector.contains(&requirement) && selector.len() == count, "{selector:?}");
        }
    }
}

#[test]
fn every_webhook_configuration_asks_the_enforcer_of_aks_to_leave_it_alone() {
    let options = Options { certificates: Certificates::CertManager, ..Options::default() };
    for options in [Options::default().with_everything(), options] {
        for object in objects(&options, NEW).webhooks {
            let annotations = &object["metadata"]["annotations"];
            assert_eq!(annotations["admissions.enforcer/disabled"], "true", "{object}");
        }
    }
}

#[test]
fn namespaces_of_the_system_can_be_left_out() {
    let options =
        Options { skip_system_namespaces: true, early_warnings: true, ..Options::default() };
    for object in objects(&options, NEW).webhooks {
        assert_eq!(
            object["webhooks"][0]["namespaceSelector"]["matchExpressions"],
            json!([{"key": "kubernetes.io/metadata.name", "operator": "NotIn",
                "values": ["kube-system", "kube-node-lease"]}])
        );
    }
}

/// Whatever is outside of namespaces has another name, so that nothing of the two is the same.
#[test]
fn a_temporary_installation_shares_no_name_with_ours() {
    let key = |object: &Value| {
        let metadata = &object["metadata"];
        [object["kind"].clone(), metadata["namespace"].clone(), metadata["name"].clone()]
    };
    let options = Options { host_network: true, ..Options::default().with_everything() };
    for version in [OLD, NEW] {
        let ours: Vec<_> = all(&options, version).iter().map(key).collect();
        let labels = [("opted".to_owned(), "out".to_owned())].into();
        let made = beside(&options, version, &labels);
        let made: Vec<Value> = made.iter().cloned().collect();
        for (index, object) in made.iter().enumerate() {
            assert!(!ours.contains(&key(object)), "{object:#}");
            let others = made.iter().take(index).map(key);
            assert!(!others.into_iter().any(|other| other == key(object)), "twice: {object:#}");
            assert!(!object.to_string().contains("Monitor"), "{object:#}");
        }
        let namespace = find(&made, "Namespace");
        assert_eq!(namespace["metadata"]["labels"]["opted"], "out");
        let rules = &find(&made, "ClusterRole")["rules"];
        assert!(rules.to_string().contains(TAKEOVER), "{rules}");
        let binding = find(&made, "ClusterRoleBinding");
        assert_eq!(binding["roleRef"]["name"], TAKEOVER);
        assert_eq!(binding["subjects"][0]["namespace"], TAKEOVER);
        let container = &find(&made, "Deployment")["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["ports"][0]["containerPort"], 8444);
        assert_eq!(container["ports"][1]["containerPort"], 9444);
        let args = container["args"].to_string();
        assert!(args.contains("--webhook-configuration=gmsa-webhook-takeover"), "{args}");
        assert!(args.contains("--https-port=8444") && args.contains("--metrics-port=9444"));
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let webhook = &find(&made, kind)["webhooks"][0];
            assert_eq!(webhook["clientConfig"]["service"]["namespace"], TAKEOVER);
            let selector = webhook["namespaceSelector"]["matchExpressions"].to_string();
            assert!(selector.contains(PROBE_LABEL), "{selector}");
        }
    }
}

#[test]
fn what_is_published_for_monitoring_is_what_is_installed() {
    let options = Options {
        namespace: "elsewhere".to_owned(),
        prometheus_rule: true,
        dashboard: true,
        ..Options::default()
    };
    let objects = all(&options, NEW);
    let rule = find(&objects, "PrometheusRule");
    assert_eq!(rule["metadata"]["namespace"], "elsewhere");
    assert!(!rule["spec"]["groups"][0]["rules"].as_array().unwrap().is_empty());
    let dashboard = find(&objects, "ConfigMap")["data"]["gmsa-webhook.json"].as_str().unwrap();
    assert!(serde_json::from_str::<Value>(dashboard).unwrap()["panels"].is_array());
}
