//! The protection lets only cluster administrators change what it covers, and the server what it keeps.

use gmsa_cluster::installation::{Certificates, Engine, Options, Version, objects};
use gmsa_core::names::{
    DOMAIN, EARLY_WARNINGS, ENGINE_EXPAND, GUARD, INDEX, INDEX_KEEPER, INDEX_PLURAL, NAME,
    PROTECTION,
};
use serde_json::{Value, json};

use crate::policy::{Policy, Request};

const ADMISSION: &str = "admissionregistration.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const SERVER: &str = "system:serviceaccount:gmsa-webhook:gmsa-webhook";

fn options(certificates: Certificates) -> Options {
    Options { engine: Engine::Policy, protect: true, certificates, ..Options::default() }
}

fn protection(options: &Options) -> Value {
    let made = objects(options, Version(1, 36)).policies;
    made.into_iter().find(|one| one["metadata"]["name"] == PROTECTION).unwrap()
}

/// Whether a request passes, and whether the rules of the policy send it.
struct Protection {
    policy: Policy,
    rules: Value,
}

impl Protection {
    fn new(object: &Value) -> Self {
        let rules = object["spec"]["matchConstraints"]["resourceRules"].clone();
        Self { policy: Policy::new(object), rules }
    }

    fn admits(&self, request: &Request) -> bool {
        let (group, resource) = request.resource;
        let has = |rule: &Value, key: &str, value: &str| {
            rule[key].as_array().unwrap().contains(&json!(value))
        };
        let is_sent = self.rules.as_array().unwrap().iter().any(|rule| {
            has(rule, "apiGroups", group)
                && has(rule, "resources", resource)
                && has(rule, "operations", request.operation)
        });
        if !is_sent {
            return true;
        }
        match self.policy.evaluate(request).unwrap() {
            None => true,
            Some((reason, message)) => {
                assert_eq!(reason, "Forbidden");
                assert!(message.contains("only cluster administrators may change"), "{message}");
                false
            }
        }
    }
}

/// A request by which a user changes, makes or deletes an object.
fn request(
    user: &'static str,
    operation: &'static str,
    resource: (&'static str, &'static str),
    object: &Value,
) -> Request {
    let (now, was) = match operation {
        "CREATE" => (object.clone(), Value::Null),
        "DELETE" => (Value::Null, object.clone()),
        _ => {
            let mut changed = object.clone();
            changed["metadata"]["labels"] = json!({"a": "b"});
            (changed, object.clone())
        }
    };
    Request { user, operation, resource, object: now, old_object: was, ..Request::default() }
}

/// An object that has nothing but its name.
fn named(name: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {}}, "webhooks": []})
}

#[test]
fn what_is_installed_for_the_whole_cluster_is_changed_by_administrators_alone() {
    let protection = Protection::new(&protection(&options(Certificates::SelfManaged)));
    let (webhooks, definitions) = ("validatingwebhookconfigurations", "customresourcedefinitions");
    let index_definition = format!("{INDEX_PLURAL}.{DOMAIN}");
    for (group, resource, name) in [
        (ADMISSION, webhooks, NAME),
        (ADMISSION, "mutatingwebhookconfigurations", NAME),
        (ADMISSION, webhooks, EARLY_WARNINGS),
        (ADMISSION, webhooks, INDEX_KEEPER),
        ("apiextensions.k8s.io", definitions, "gmsacredentialspecs.windows.k8s.io"),
        ("apiextensions.k8s.io", definitions, &index_definition),
        (RBAC, "clusterroles", NAME),
        (RBAC, "clusterroles", INDEX_KEEPER),
        (RBAC, "clusterrolebindings", NAME),
        (RBAC, "clusterrolebindings", INDEX_KEEPER),
    ] {
        for operation in ["UPDATE", "DELETE"] {
            let mut asked = request("ops", operation, (group, resource), &named(name));
            assert!(!protection.admits(&asked), "{operation} {resource} {name}");
            asked.user = SERVER;
            assert!(!protection.admits(&asked), "{operation} {resource} {name} by the server");
            asked.is_administrator = true;
            assert!(protection.admits(&asked), "{operation} {resource} {name}");
            // Others of the kind, also by the name of the index.
            for other in ["other", INDEX] {
                let asked = request("ops", operation, (group, resource), &named(other));
                assert!(protection.admits(&asked), "{operation} {resource} {other}");
            }
        }
        // Before there is an installation its objects are made as before.
        assert!(protection.admits(&request("ops", "CREATE", (group, resource), &named(name))));
    }
}

#[test]
fn the_index_is_written_by_the_server_and_administrators_alone() {
    for certificates in [Certificates::SelfManaged, Certificates::CertManager, Certificates::Files]
    {
        let protection = Protection::new(&protection(&options(certificates)));
        for operation in ["CREATE", "UPDATE", "DELETE"] {
            let mut asked = request("ops", operation, (DOMAIN, INDEX_PLURAL), &named(INDEX));
            assert!(!protection.admits(&asked), "{operation}");
            asked.user = SERVER;
            assert_eq!(protection.admits(&asked), operation != "DELETE", "{operation}");
            asked.user = "system:serviceaccount:other:gmsa-webhook";
            assert!(!protection.admits(&asked), "{operation} by another server");
            asked.is_administrator = true;
            assert!(protection.admits(&asked), "{operation}");
            let other = request("ops", operation, (DOMAIN, INDEX_PLURAL), &named("other"));
            assert!(protection.admits(&other), "the policies read one of this name alone");
        }
    }
}

#[test]
fn ca_bundles_are_kept_by_the_server_or_by_cert_manager() {
    let made = objects(&options(Certificates::SelfManaged), Version(1, 36)).webhooks;
    let keeper = made.iter().find(|one| one["metadata"]["name"] == INDEX_KEEPER).unwrap();
    let with = |bundle: &str| {
        let mut object = keeper.clone();
        object["webhooks"][0]["clientConfig"]["caBundle"] = json!(bundle);
        object
    };
    let asked = |user, object| Request {
        user,
        operation: "UPDATE",
        resource: (ADMISSION, "validatingwebhookconfigurations"),
        object,
        old_object: with("old"),
        ..Request::default()
    };
    let mut narrowed = with("new");
    narrowed["webhooks"][0]["failurePolicy"] = json!("Fail");
    for (certificates, by_others) in [
        (Certificates::SelfManaged, false),
        (Certificates::Files, false),
        (Certificates::CertManager, true),
    ] {
        let protection = Protection::new(&protection(&options(certificates)));
        assert!(protection.admits(&asked(SERVER, with("new"))));
        assert_eq!(protection.admits(&asked("ca-injector", with("new"))), by_others);
        assert!(!protection.admits(&asked(SERVER, narrowed.clone())));
        assert!(!protection.admits(&asked("ca-injector", narrowed.clone())));
    }
}

#[test]
fn from_a_file_the_policies_and_their_bindings_are_protected_too() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("deploy/guard/static/protection.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let documents = gmsa_cluster::manifests::parse("protection.yaml", &text);
    let policy = documents.into_iter().next().unwrap().unwrap().into_value();
    let from_file = Protection::new(&policy);
    let from_api = Protection::new(&protection(&options(Certificates::SelfManaged)));
    for resource in [
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    ] {
        for operation in ["UPDATE", "DELETE"] {
            for (name, is_ours) in [
                (GUARD, true),
                (PROTECTION, true),
                (ENGINE_EXPAND, true),
                ("gmsa-static-check-ephemeral-2", true),
                ("other", false),
                (INDEX, false),
            ] {
                let mut asked = request("ops", operation, (ADMISSION, resource), &named(name));
                assert_eq!(from_file.admits(&asked), !is_ours, "{operation} {resource} {name}");
                // An API server sends them to no policy that it reads from the API.
                assert!(from_api.admits(&asked));
                asked.is_administrator = true;
                assert!(from_file.admits(&asked));
            }
        }
    }
    for (resource, name) in
        [((RBAC, "clusterroles"), INDEX_KEEPER), ((DOMAIN, INDEX_PLURAL), INDEX)]
    {
        let asked = request("ops", "UPDATE", resource, &named(name));
        assert!(!from_file.admits(&asked), "{name}");
        assert!(from_file.admits(&request("ops", "UPDATE", resource, &named("other"))));
    }
}
