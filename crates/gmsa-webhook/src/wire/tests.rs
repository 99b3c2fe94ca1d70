use gmsa_core::admission::{Decision, Denial, Operation, Reason, Step};
use serde_json::{Value, json};

use super::{Malformed, decode, encode, encode_malformed};

fn review(request: &Value) -> String {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
        .to_string()
}

#[test]
fn a_review_is_read_whatever_the_order_of_its_keys() {
    let body = r#"{"request":{"object":{"spec":{"serviceAccountName":"sa"},"metadata":{"name":"p"}},
        "operation":"CREATE","namespace":"ns","kind":{"kind":"Pod","version":"v1","group":""},
        "subResource":"ephemeralcontainers","uid":"u-1","dryRun":true,"unknown":[1,{"a":null}]},
        "kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}"#;
    let review = decode(body.as_bytes()).unwrap();
    assert_eq!(review.uid(), "u-1");
    let request = review.to_request(Step::Mutate, None);
    assert_eq!(request.operation, Some(Operation::Create));
    assert_eq!((request.kind, request.group), ("Pod", ""));
    assert_eq!((request.namespace, request.subresource), ("ns", "ephemeralcontainers"));
    assert_eq!(request.object.unwrap().service_account(), "sa");
    assert!(request.old_object.is_none());
}

#[test]
fn what_is_no_review_is_refused_with_its_reason() {
    let kind = |kind: &str, version: &str| {
        json!({"apiVersion": version, "kind": kind, "request": {"uid": "u"}}).to_string()
    };
    for (body, words) in [
        (String::new(), "EOF while parsing"),
        ("nonsense".to_owned(), "line 1 column 2"),
        ("[]".to_owned(), "invalid length 0"),
        ("{}".to_owned(), "expected kind AdmissionReview"),
        (kind("Pod", "v1"), "got \"Pod\" of \"v1\""),
        (kind("AdmissionReview", "admission.k8s.io/v1beta1"), "admission.k8s.io/v1beta1"),
        (
            json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}).to_string(),
            "has no request",
        ),
        (review(&json!({"operation": "CREATE"})), "has no uid"),
        (review(&json!({"uid": ""})), "has no uid"),
        (review(&json!({"uid": 5})), "invalid type: integer"),
        (format!("{} x", review(&json!({"uid": "u"}))), "trailing characters"),
        (
            review(&json!({"uid": "u"})).replace("\"uid\":\"u\"", "\"uid\":\"u\",\"uid\":\"v\""),
            "duplicate field `uid`",
        ),
    ] {
        let error = decode(body.as_bytes()).expect_err(&body);
        assert!(error.to_string().contains(words), "{body}: {error}");
        let status: Value = serde_json::from_slice(&encode_malformed(&error)).unwrap();
        assert_eq!((&status["kind"], &status["code"]), (&json!("Status"), &json!(400)));
        assert_eq!(status["message"], json!(error.to_string()));
    }
    let body = review(&json!({"uid": "u", "ignored": "HERE"})).into_bytes();
    let at = body.windows(4).position(|four| four == b"HERE").unwrap();
    let mut bad = body.clone();
    bad[at] = 0xff;
    assert!(decode(&body).is_ok());
    assert!(matches!(decode(&bad), Err(Malformed::NotText(_))));
}

#[test]
fn an_object_that_is_no_pod_still_gives_a_review() {
    let node = json!({"uid": "u", "operation": "CREATE", "kind": {"group": "", "kind": "Node"},
        "object": {"spec": "strange"}});
    let text = review(&node);
    let node = decode(text.as_bytes()).unwrap();
    assert_eq!(node.unreadable(), None);
    assert_eq!(node.to_request(Step::Validate, None).kind, "Node");

    for object in [
        json!({"spec": "strange"}),
        json!({"spec": {"containers": [{"name": 5}]}}),
        json!({"spec": {"securityContext": {"windowsOptions": {"gmsaCredentialSpec": {}}}}}),
    ] {
        let pod =
            json!({"uid": "u", "operation": "CREATE", "kind": {"kind": "Pod"}, "object": object});
        let text = review(&pod);
        let review = decode(text.as_bytes()).unwrap();
        let why = &review.unreadable().expect("unreadable").message;
        assert!(why.starts_with("failed to read request.object: invalid type"), "{why}");
        assert!(why.contains("line 1 column"), "{why}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request =
        json!({"uid": "u", "operation": "CREATE", "kind": {"kind": "Pod"}, "object": "DEEP"});
    let body = review(&request).replace("\"DEEP\"", &deep);
    assert!(decode(body.as_bytes()).unwrap().unreadable().is_some());
    assert!(decode(deep.as_bytes()).is_err());
}

#[test]
fn a_denial_carries_code_reason_and_causes() {
    let denial = |reason, field: &str| Denial {
        reason,
        message: format!("about \"{field}\""),
        field: field.to_owned(),
    };
    let decision = Decision::deny(vec![
        denial(Reason::NotAuthorized, "spec.a"),
        denial(Reason::NotFound, "spec.b"),
    ]);
    let answer: Value = serde_json::from_slice(&encode("u\"1", &decision)).unwrap();
    assert_eq!(
        answer,
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
        "uid": "u\"1", "allowed": false, "status": {
            "status": "Failure", "code": 403, "reason": "Forbidden",
            "message": "about \"spec.a\"; about \"spec.b\"",
            "details": {"causes": [
                {"reason": "not-authorized", "field": "spec.a", "message": "about \"spec.a\""},
                {"reason": "credspec-not-found", "field": "spec.b", "message": "about \"spec.b\""}]},
        }}})
    );
}

#[test]
fn an_admission_without_changes_is_short() {
    let answer = String::from_utf8(encode("u", &Decision::allow())).unwrap();
    assert_eq!(
        answer,
        r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u","allowed":true}}"#
    );
}
