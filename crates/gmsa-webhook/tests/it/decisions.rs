//! From bytes to bytes, without a network: a whole admission, compared with a second, naive
//! implementation of the decision.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use gmsa_webhook::admission::{Settings, Source, StoreDir};
use gmsa_webhook::http::{Answer, Endpoint, Handler};
use gmsa_webhook::metrics::Metrics;
use gmsa_webhook::service::Service;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::reference::{CONTENTS, Naive, SPEC_NAMES};

fn service() -> Service {
    let store = StoreDir::from_manifests(&crate::reference::manifests()).unwrap();
    let settings = Settings { deadline: Duration::from_secs(2), ..Settings::default() };
    Service::new(Source::Directory(store), Arc::new(Metrics::new()), settings)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// The answer's HTTP status and body.
fn ask(service: &Service, endpoint: Endpoint, body: &[u8]) -> (u16, Value) {
    match run(service.review(endpoint, Bytes::copy_from_slice(body), None)) {
        Answer::Review(body) => (200, serde_json::from_slice(&body).unwrap()),
        Answer::Malformed(body) => (400, serde_json::from_slice(&body).unwrap()),
    }
}

fn create(object: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "namespace": "shop", "operation": "CREATE", "object": object}})
}

/// An update of `pods/ephemeralcontainers`.
fn update(old: &Value, new: &Value) -> Value {
    let mut review = create(new);
    review["request"]["operation"] = json!("UPDATE");
    review["request"]["subResource"] = json!("ephemeralcontainers");
    review["request"]["oldObject"] = old.clone();
    review
}

fn is_allowed(answer: &(u16, Value)) -> bool {
    answer.0 == 200 && answer.1["response"]["allowed"] == json!(true)
}

fn apply(object: &Value, answer: &Value) -> Value {
    let mut patched = object.clone();
    if let Some(patch) = answer["response"]["patch"].as_str() {
        let patch = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
        let patch: json_patch::Patch = serde_json::from_slice(&patch).unwrap();
        json_patch::patch(&mut patched, &patch).unwrap();
    }
    patched
}

fn options() -> impl Strategy<Value = Value> {
    let name = prop::option::of(prop::sample::select(SPEC_NAMES));
    let contents = prop::option::weighted(0.4, prop::sample::select(&CONTENTS[..]));
    (name, contents).prop_map(|(name, contents)| {
        let mut options = json!({});
        if let Some(name) = name {
            options["gmsaCredentialSpecName"] = json!(name);
        }
        if let Some(contents) = contents {
            options["gmsaCredentialSpec"] = json!(contents());
        }
        options
    })
}

fn container() -> impl Strategy<Value = Value> {
    prop::option::weighted(0.7, options()).prop_map(|options| match options {
        None => json!({"name": "plain"}),
        Some(options) => json!({"name": "c", "securityContext": {"windowsOptions": options}}),
    })
}

fn pod() -> impl Strategy<Value = Value> {
    let list = |most| prop::collection::vec(container(), 0..most);
    let account = prop::sample::select(&["", "web", "all", "nobody"][..]);
    (account, prop::option::of(options()), list(4), list(3), list(3)).prop_map(
        |(account, options, containers, init, ephemeral)| {
            json!({"metadata": {"name": "p"}, "spec": {
                "serviceAccountName": account,
                "securityContext": {"windowsOptions": options},
                "containers": containers, "initContainers": init, "ephemeralContainers": ephemeral}})
        },
    )
}

/// A pod, and what becomes of it by an update of its ephemeral containers: some stay, some go, some
/// come, and what else is sent along does not count.
fn updated_pod() -> impl Strategy<Value = (Value, Value)> {
    let name = prop::sample::select(&["debug", "shell", "c"][..]);
    let named = (container(), name).prop_map(|(mut container, name)| {
        container["name"] = json!(name);
        container
    });
    let stays = prop::collection::vec(any::<bool>(), 3);
    let others = prop::option::weighted(0.3, prop::collection::vec(container(), 0..3));
    (pod(), prop::collection::vec(named, 0..5), stays, 0..3_usize, others).prop_map(
        |(mut old, mut named, stays, added, others)| {
            let first = named.len().saturating_sub(added);
            let added = named.split_off(first);
            let mut new = old.clone();
            let stay = named.iter().zip(stays.iter().cycle()).filter(|(_, stays)| **stays);
            let stay = stay.map(|(container, _)| container.clone());
            new["spec"]["ephemeralContainers"] = stay.chain(added).collect();
            old["spec"]["ephemeralContainers"] = named.into();
            if let Some(others) = others {
                new["spec"]["containers"] = others.into();
            }
            (old, new)
        },
    )
}

/// Any JSON, with the keys and values that matter far more often than by chance.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(SPEC_NAMES).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 64, 6, |inner| {
        let key = prop_oneof![
            4 => prop::sample::select(&[
                "spec", "metadata", "containers", "initContainers", "ephemeralContainers",
                "securityContext", "windowsOptions", "gmsaCredentialSpecName",
                "gmsaCredentialSpec", "name", "serviceAccountName",
            ][..]).prop_map(str::to_owned),
            1 => ".*",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn generated_pods_are_decided_as_the_reference_decides(object in pod()) {
        let service = service();
        let validation = ask(&service, Endpoint::Validate, create(&object).to_string().as_bytes());
        prop_assert_eq!(is_allowed(&validation), Naive::validate(&object), "{}", validation.1);

        let mutation = ask(&service, Endpoint::Mutate, create(&object).to_string().as_bytes());
        if is_allowed(&mutation) {
            let patched = apply(&object, &mutation.1);
            prop_assert_eq!(&patched, &Naive::mutate(&object));
            let again = ask(&service, Endpoint::Mutate, create(&patched).to_string().as_bytes());
            prop_assert!(is_allowed(&again));
            prop_assert!(again.1["response"].get("patch").is_none(), "a second patch");
            let judged = ask(&service, Endpoint::Validate, create(&patched).to_string().as_bytes());
            prop_assert_eq!(is_allowed(&judged), Naive::validate(&patched), "{}", judged.1);
        } else {
            prop_assert!(!Naive::validate(&Naive::mutate(&object)), "{}", mutation.1);
        }
    }

    #[test]
    fn updates_of_ephemeral_containers_are_decided_as_the_reference_decides(
        (old, new) in updated_pod()
    ) {
        let service = service();
        let bytes = |new: &Value| update(&old, new).to_string().into_bytes();
        let validation = ask(&service, Endpoint::Validate, &bytes(&new));
        prop_assert_eq!(
            is_allowed(&validation), Naive::validate_update(&old, &new), "{}", validation.1
        );
        prop_assert!(validation.1["response"].get("patch").is_none());

        let mutation = ask(&service, Endpoint::Mutate, &bytes(&new));
        if is_allowed(&mutation) {
            let patched = apply(&new, &mutation.1);
            prop_assert_eq!(&patched, &Naive::mutate_update(&old, &new));
            let again = ask(&service, Endpoint::Mutate, &bytes(&patched));
            prop_assert!(is_allowed(&again));
            prop_assert!(again.1["response"].get("patch").is_none(), "a second patch");
            let judged = ask(&service, Endpoint::Validate, &bytes(&patched));
            prop_assert_eq!(
                is_allowed(&judged), Naive::validate_update(&old, &patched), "{}", judged.1
            );
        } else {
            let patched = Naive::mutate_update(&old, &new);
            prop_assert!(!Naive::validate_update(&old, &patched), "{}", mutation.1);
        }
    }

    #[test]
    fn an_early_warning_says_what_will_be_decided(object in pod()) {
        // Every template that an API server takes has containers.
        let mut object = object;
        prop_assume!(object.get("spec").is_some_and(Value::is_object));
        if !object["spec"]["containers"].is_array() {
            object["spec"]["containers"] = json!([]);
        }
        let service = service();
        let mutation = ask(&service, Endpoint::Mutate, create(&object).to_string().as_bytes());
        let admitted = is_allowed(&mutation) && {
            let patched = apply(&object, &mutation.1);
            is_allowed(&ask(&service, Endpoint::Validate, create(&patched).to_string().as_bytes()))
        };
        let template = json!({"metadata": object["metadata"], "spec": object["spec"]});
        let workload = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "web"}, "spec": {"template": template}});
        let answer = ask(&service, Endpoint::Warn, create(&workload).to_string().as_bytes());
        prop_assert!(is_allowed(&answer), "{}", answer.1);
        let warnings = answer.1["response"]["warnings"].to_string();
        prop_assert_eq!(!warnings.contains("will be denied"), admitted, "{}", warnings);
    }

    #[test]
    fn what_sends_no_pods_allows_whatever_comes(object in any_json()) {
        let service = service();
        for endpoint in [Endpoint::Warn, Endpoint::ValidateCredspec] {
            for operation in ["CREATE", "UPDATE", "DELETE"] {
                let mut review = create(&object);
                review["request"]["operation"] = json!(operation);
                review["request"]["oldObject"] = object.clone();
                let answer = ask(&service, endpoint, review.to_string().as_bytes());
                prop_assert!(is_allowed(&answer), "{}", answer.1);
            }
        }
    }

    #[test]
    fn arbitrary_json_is_never_admitted_where_the_reference_denies(
        object in any_json(), other in any_json()
    ) {
        let service = service();
        let answer = ask(&service, Endpoint::Validate, create(&object).to_string().as_bytes());
        if is_allowed(&answer) {
            prop_assert!(Naive::validate(&object), "{}", object);
        }
        ask(&service, Endpoint::Mutate, create(&object).to_string().as_bytes());
        for (old, new) in [(&other, &object), (&object, &object)] {
            let answer = ask(&service, Endpoint::Validate, update(old, new).to_string().as_bytes());
            if is_allowed(&answer) {
                prop_assert!(Naive::validate_update(old, new), "{old} {new}");
            }
        }
        let (status, _) = ask(&service, Endpoint::Validate, object.to_string().as_bytes());
        prop_assert_eq!(status, 400);
    }

    #[test]
    fn arbitrary_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (status, _) = ask(&service(), Endpoint::Mutate, &bytes);
        prop_assert_eq!(status, 400);
    }

    #[test]
    fn a_damaged_review_is_answered(object in pod(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut body = create(&object).to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let service = service();
        let whole = ask(&service, Endpoint::Validate, &body);
        if is_allowed(&whole) {
            let review: Value = serde_json::from_slice(&body).expect("admitted what is not JSON");
            let request = &review["request"];
            let judged = request["operation"] == "CREATE";
            prop_assert!(!judged || Naive::validate(&request["object"]));
        }
        let cut = ask(&service, Endpoint::Validate, &body[..at]);
        prop_assert!(!is_allowed(&cut));
    }
}

#[test]
fn a_key_given_twice_admits_nothing() {
    let good = CONTENTS[0]();
    for twice in [
        good.replacen('{', r#"{"CmsPlugins":["ActiveDirectory"],"#, 1),
        good.replace(r#""Sid":"#, r#""Sid":"S-1-5-21-1-2-3","Sid":"#),
    ] {
        let object = json!({"spec": {"serviceAccountName": "web", "securityContext":
            {"windowsOptions": {"gmsaCredentialSpecName": "web", "gmsaCredentialSpec": twice}}}});
        let answer = ask(&service(), Endpoint::Validate, create(&object).to_string().as_bytes());
        let message = answer.1["response"]["status"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("does not match the contents"), "{message}");
    }
    let body = create(&json!({"spec": {"containers": [], "securityContext": 0}})).to_string();
    let body = body.replace(
        r#""securityContext":0"#,
        r#""securityContext":null,"securityContext":{"windowsOptions":{"gmsaCredentialSpecName":"web"}}"#,
    );
    let answer = ask(&service(), Endpoint::Validate, body.as_bytes());
    assert_eq!(answer.1["response"]["status"]["code"], json!(400), "{}", answer.1);
}
