//! Credential specs as text in the policies.

use std::collections::BTreeMap;

use gmsa_cluster::installation::Options;
use gmsa_cluster::installation::engine::{literal_policies, policies};
use gmsa_core::index::Spec;
use serde_json::json;

use super::{
    Answer, Request, Server, Specs, VERSION, addition, core, credential_spec, of_index,
    without_mark, words,
};

/// Ten thousand accounts of one domain, and contents that do not fit one object.
#[test]
fn literals_are_spread_over_as_many_objects_as_they_need() {
    let accounts: BTreeMap<String, Spec> = (0..10_000)
        .map(|number| {
            let account = format!("App{number}");
            (format!("spec-{number:05}"), Spec::of(&credential_spec(&account, false)))
        })
        .collect();
    let one = literal_policies(&Options::default(), VERSION, &accounts);
    assert_eq!(one.iter().count(), policies(&Options::default(), VERSION).iter().count());
    let different: Specs = (0..4_000)
        .map(|number| {
            let mut spec = credential_spec(&format!("App{number}"), true);
            spec["credspec"]["DomainJoinConfig"]["Guid"] = json!(format!("{number:032}"));
            (format!("spec-{number:04}"), spec)
        })
        .collect();
    let many = literal_policies(&Options::default(), VERSION, &of_index(&different));
    // Pairs that share a template each: templates are one expression.
    let pairs: BTreeMap<String, Spec> = (0..600)
        .map(|number| {
            let mut spec = credential_spec(&format!("App{number}"), true);
            spec["credspec"]["DomainJoinConfig"]["Guid"] = json!(format!("{:032}", number / 2));
            (format!("spec-{number:04}"), Spec::of(&spec))
        })
        .collect();
    let pairs = literal_policies(&Options::default(), VERSION, &pairs);
    for object in one.iter().chain(many.iter()).chain(pairs.iter()) {
        let bytes = object.to_string().len();
        assert!(bytes < 1_400_000, "{}: {bytes} bytes", object["metadata"]["name"]);
        for variable in object["spec"]["variables"].as_array().into_iter().flatten() {
            let length = variable["expression"].as_str().unwrap().chars().count();
            assert!(length < 100_000, "{}: {length}", variable["name"]);
        }
    }
    let server = Server::new(&many);
    assert!(server.mutating.len() > 3, "in one object");
    let named = |name: &str| Request {
        namespace: "shop",
        operation: "CREATE",
        namespace_object: json!({"metadata": {"name": "shop"}}),
        object: json!({"metadata": {"name": "p"}, "spec": {"containers": [],
            "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": name}}}}),
        rights: [("default".to_owned(), name.to_owned())].into(),
        ..Request::default()
    };
    for name in ["spec-0000", "spec-1999", "spec-3999", "aaa", "zzz", "spec-1999x"] {
        for request in [named(name), addition(&as_debug(&named(name)), 0)] {
            for backwards in [false, true] {
                let answer = server.admit(&request, backwards, "");
                match (core(&different, &request), &answer) {
                    (Ok(expected), Answer::Admitted(stored)) => {
                        assert_eq!(without_mark(stored.clone()), expected);
                    }
                    (Err(denials), Answer::Denied(_, _, message)) => {
                        assert_eq!(&words(&denials), message);
                    }
                    (expected, answer) => panic!("{name}: {expected:?} {answer:?}"),
                }
            }
        }
    }
}

/// The field of the pod as that of an ephemeral container.
fn as_debug(request: &Request) -> Request {
    let mut request = request.clone();
    let context = request.object["spec"]["securityContext"].take();
    request.object["spec"]["securityContext"] = json!({});
    request.object["spec"]["ephemeralContainers"] =
        json!([{"name": "debug", "securityContext": context}]);
    request
}
