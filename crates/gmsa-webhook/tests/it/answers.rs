//! What stands in the answers of the server: warnings, audit annotations, and the answers to what is
//! no creation of a pod or no sound JSON.

use crate::store::{expand, start};
use gmsa_testkit::https::collect;
use gmsa_testkit::objects::{self, contents, gmsa};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const SPEC: &str = "gmsa-webapp1";

/// A pod that carries the right contents.
fn whole() -> Value {
    objects::pod("default", "web", &gmsa(Some(SPEC), Some(&contents("WebApp1").to_string())))
}

#[tokio::test]
async fn the_audit_log_gets_the_credential_specs_and_the_places() {
    let world = start(&[]).await;
    let mut pod = objects::pod("default", "web", &gmsa(Some(SPEC), None));
    pod["spec"]["containers"] = json!([{"name": "iis", "image": "i",
        "securityContext": gmsa(Some("another"), Some("{}"))}]);
    pod["spec"]["initContainers"] = json!([{"name": "setup", "image": "i"}]);
    let expected = json!({"credential-specs": "gmsa-webapp1,another",
        "places": "pod \"web\", container \"iis\""});
    for path in ["/mutate", "/validate"] {
        let denied = world.https.review(path, &objects::review("default", &pod)).await;
        assert_eq!(denied["allowed"], json!(false), "{denied}");
        assert_eq!(denied["auditAnnotations"], expected, "{path}: {denied}");
        let allowed = world.https.review(path, &objects::review("default", &whole())).await;
        assert_eq!(allowed["allowed"], json!(true), "{allowed}");
        let expected = json!({"credential-specs": SPEC, "places": "pod \"web\""});
        assert_eq!(allowed["auditAnnotations"], expected, "{path}: {allowed}");
        let plain = objects::pod("default", "web", &json!({}));
        let plain = world.https.review(path, &objects::review("default", &plain)).await;
        assert_eq!(plain["allowed"], json!(true), "{plain}");
        assert_eq!(plain.get("auditAnnotations"), None, "{path}: {plain}");
    }
}

#[tokio::test]
async fn a_validation_that_admits_says_what_is_questionable() {
    let world = start(&[]).await;
    let mut pod = whole();
    pod["spec"].as_object_mut().unwrap().remove("nodeSelector");
    pod["metadata"]["generateName"] = json!("web-");
    pod["spec"]["hostname"] = json!("fixed");
    let answer = world.https.review("/validate", &objects::review("default", &pod)).await;
    assert_eq!(answer["allowed"], json!(true), "{answer}");
    let warnings: Vec<&str> =
        answer["warnings"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("gmsa: the pod uses a GMSA but nothing binds it to Windows"));
    assert!(warnings[0].ends_with("(not-bound-to-windows)"), "{warnings:?}");
    assert!(warnings[1].contains("every replica has the hostname \"fixed\""), "{warnings:?}");
    assert!(warnings[1].ends_with("(fixed-hostname)"), "{warnings:?}");
    let sound = world.https.review("/validate", &objects::review("default", &whole())).await;
    assert_eq!(sound.get("warnings"), None, "{sound}");
}

#[tokio::test]
async fn what_is_no_creation_of_a_pod_is_answered_by_the_table() {
    let world = start(&[]).await;
    let changed = objects::pod("default", "web", &gmsa(Some("another"), None));
    let plain = objects::pod("default", "web", &json!({}));
    let update = |old: &Value, new: &Value| {
        let mut review = objects::review("default", new);
        review["request"]["operation"] = json!("UPDATE");
        review["request"]["oldObject"] = old.clone();
        review
    };
    let mut relabelled = whole();
    relabelled["metadata"]["labels"] = json!({"touched": "yes"});
    let other = |operation: &str, kind: &str, object: Value| {
        let mut review = objects::review("default", &object);
        review["request"]["operation"] = json!(operation);
        review["request"]["kind"]["kind"] = json!(kind);
        review
    };
    let old_kind = |operation: &str, context: &Value| {
        let mut review = other(
            operation,
            "EphemeralContainers",
            json!({"kind": "EphemeralContainers", "metadata": {"name": "web"},
                "ephemeralContainers": [{"name": "debug", "securityContext": context}]}),
        );
        review["request"]["oldObject"] = json!({"kind": "EphemeralContainers",
            "metadata": {"name": "web"}, "ephemeralContainers": []});
        review
    };
    for (review, expected) in [
        (update(&whole(), &relabelled), None),
        (
            update(&whole(), &changed),
            Some((403, "GMSA fields of an existing pod cannot be changed")),
        ),
        (update(&whole(), &plain), Some((403, "GMSA fields of an existing pod cannot be changed"))),
        (update(&plain, &whole()), Some((403, "GMSA fields of an existing pod cannot be changed"))),
        (
            other("CREATE", "Service", json!({})),
            Some((400, "expected a Pod object, got a Service")),
        ),
        (other("UPDATE", "Node", json!({})), Some((400, "expected a Pod object, got a Node"))),
        (other("DELETE", "Pod", Value::Null), None),
        (other("DELETE", "Service", Value::Null), None),
        (other("CONNECT", "PodExecOptions", json!({"kind": "PodExecOptions"})), None),
        (old_kind("UPDATE", &json!({})), None),
        (old_kind("UPDATE", &gmsa(Some(SPEC), None)), Some((422, "Kubernetes 1.22 or newer"))),
        (other("PATCH", "Pod", whole()), Some((400, "expected operation CREATE, UPDATE"))),
    ] {
        for path in ["/mutate", "/validate"] {
            let answer = world.https.review(path, &review).await;
            assert_eq!(answer["allowed"], json!(expected.is_none()), "{review}: {answer}");
            assert_eq!(answer.get("patch"), None, "{answer}");
            let Some((code, words)) = expected else { continue };
            assert_eq!(answer["status"]["code"], json!(code), "{answer}");
            let message = answer["status"]["message"].as_str().unwrap();
            assert!(message.contains(words), "{message}");
        }
    }
}

/// On one connection, so that one which broke would be noticed.
#[tokio::test]
async fn malformed_json_is_refused_and_the_connection_stays_open() {
    let world = start(&[]).await;
    let review = expand().to_string();
    let object = r#""object":"#;
    assert!(review.contains(object));
    let within = |text: &str| review.replacen(object, &format!(r#""more":{text},{object}"#), 1);
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let twice = review.replacen(
        r#""gmsaCredentialSpecName":"#,
        r#""gmsaCredentialSpecName":"other","gmsaCredentialSpecName":"#,
        1,
    );
    assert_ne!(twice, review);
    let mut no_text = review.clone().into_bytes();
    let at = review.find("gmsa-webapp1").unwrap();
    no_text[at] = 0xff;
    let (mut sender, connection) = world.https.http2().await.unwrap();
    let at_the_pod = |text: &str| {
        review.replacen(r#""securityContext":"#, &format!(r#""securityContext":{text},"x":"#), 1)
    };
    let arrays = deep("[", "]");
    let objects = deep(r#"{"a":"#, "}").replace(":}", ":0}");
    for (what, body, status, code) in [
        ("invalid UTF-8", no_text, 400, 0),
        ("deep arrays where nothing is read", within(&arrays).into_bytes(), 200, 200),
        ("deep objects where nothing is read", within(&objects).into_bytes(), 200, 200),
        ("deep arrays in the pod", at_the_pod(&arrays).into_bytes(), 200, 400),
        ("only opened", "[".repeat(1_000_000).into_bytes(), 400, 0),
        ("a key of the pod twice", twice.into_bytes(), 200, 400),
        (
            "the uid twice",
            review.replacen(r#""uid":"#, r#""uid":"a","uid":"#, 1).into_bytes(),
            400,
            0,
        ),
        ("more after the end", format!("{review}{{}}").into_bytes(), 400, 0),
    ] {
        for path in ["/mutate", "/validate"] {
            let request =
                world.https.request(Method::POST, path, Some("application/json"), body.clone());
            let answer = collect(sender.send_request(request).await.unwrap()).await.unwrap();
            assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
            let answer = answer.json();
            if status == 400 {
                assert_eq!(answer["kind"], json!("Status"), "{what}: {answer}");
                assert!(answer["message"].as_str().unwrap().starts_with("failed to read"));
            } else if code == 200 {
                // What is not expanded yet is admitted by the first step alone.
                let allowed = path == "/mutate";
                assert_eq!(answer["response"]["allowed"], json!(allowed), "{what}: {answer}");
            } else {
                assert_eq!(answer["response"]["status"]["code"], json!(code), "{what}: {answer}");
            }
        }
        let good =
            world.https.request(Method::POST, "/mutate", Some("application/json"), review.clone());
        let answer = collect(sender.send_request(good).await.unwrap()).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "after {what}");
        assert!(answer.json()["response"]["patch"].is_string(), "after {what}");
    }
    assert!(!connection.is_finished(), "the connection is still there");
}
