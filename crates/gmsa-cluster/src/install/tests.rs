use serde_json::{Value, json};

use super::{Certificates, Options, Version, objects};

const NEW: Version = Version(1, 36);
const OLD: Version = Version(1, 20);

fn all(options: &Options, version: Version) -> Vec<Value> {
    let objects = objects(options, version);
    objects.base.into_iter().chain(objects.webhooks).collect()
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
        assert!(old.get("namespaceSelector").is_some() && new.get("namespaceSelector").is_none());
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
fn no_manifest_holds_a_ca_bundle_or_a_null() {
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
        json!({"cert-manager.io/inject-ca-from": "gmsa-webhook/gmsa-webhook-ca"})
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
