use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gmsa_core::admission::{Facts, Step};
use gmsa_core::names::PROBE;
use serde_json::{Value, json};

use super::{Admission, AtOnce, Gatherer, MAX_WAITING, Settings, Source, StoreDir};
use crate::http::Answer;
use crate::metrics::Metrics;
use crate::wire;

fn admission() -> Admission {
    let store = StoreDir::from_manifests("").unwrap();
    let gatherer = Gatherer::new(Source::Directory(store));
    Admission::new(gatherer, Arc::new(Metrics::new()), Settings::default())
}

/// A review of a Pod whose JSON is this.
fn review(pod: &str) -> String {
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u",
        "operation":"CREATE","namespace":"shop","kind":{{"version":"v1","kind":"Pod"}},"object":{pod}}}}}"#
    )
}

fn list(element: &str, count: usize) -> String {
    format!("[{}]", vec![element; count].join(","))
}

fn response(answer: &Answer) -> Value {
    let Answer::Review(bytes) = answer else { panic!("{answer:?}") };
    serde_json::from_slice::<Value>(bytes).unwrap()["response"].clone()
}

#[test]
fn a_million_empty_containers_are_refused_and_none_is_kept() {
    for (list_name, element) in [
        ("containers", "{}"),
        ("initContainers", "{}"),
        ("ephemeralContainers", r#"{"securityContext":{"windowsOptions":{}}}"#),
    ] {
        let body = review(&format!(r#"{{"spec":{{"{list_name}":{}}}}}"#, list(element, 1_000_000)));
        let decoded = wire::decode(body.as_bytes()).unwrap();
        assert_eq!(decoded.list_bytes(), 0, "nothing of it is kept");
        let Ok(AtOnce::Answered(answer)) =
            admission().at_once(Step::Validate, body.as_bytes(), Instant::now())
        else {
            panic!("{list_name} is not refused at once")
        };
        let response = response(&answer);
        assert_eq!(response["allowed"], json!(false), "{list_name}");
        assert_eq!(response["status"]["code"], json!(422), "{response}");
        let message = response["status"]["message"].as_str().unwrap();
        assert!(message.contains("more than 1000 containers in one list"), "{message}");
        assert!(
            message.contains("request.object") && message.contains("line 1 column"),
            "{message}"
        );
    }
    let most = review(&format!(r#"{{"spec":{{"containers":{}}}}}"#, list("{}", 1000)));
    let decoded = wire::decode(most.as_bytes()).unwrap();
    assert!(decoded.unreadable().is_none());
    assert!((1..=64 * 1024).contains(&decoded.list_bytes()), "{}", decoded.list_bytes());
}

#[tokio::test]
async fn requests_that_wait_for_the_api_server_share_a_limit_of_memory() {
    let admission = admission();
    let body = review(r#"{"spec":{"containers":[{"name":"a"}]}}"#);
    let ask = || async {
        let patience = Duration::from_secs(1);
        let facts = Facts::new(0);
        let answer =
            admission.at_length(Step::Validate, body.as_bytes(), facts, Instant::now(), patience);
        response(&answer.await.unwrap())
    };
    assert_eq!(ask().await["allowed"], json!(true));
    admission.waiting.fetch_add(MAX_WAITING, Ordering::AcqRel);
    let refused = ask().await;
    assert_eq!(refused["status"]["code"], json!(429), "{refused}");
    admission.waiting.fetch_sub(MAX_WAITING, Ordering::AcqRel);
    assert_eq!(ask().await["allowed"], json!(true), "what was taken is given back");
}

#[tokio::test]
async fn the_questions_of_our_own_commands_are_no_denials() {
    let question = |name: &str, dry_run: bool, options: &str| {
        let pod = format!(
            r#"{{"metadata":{{"name":"{name}"}},"spec":{{"containers":[{{"name":"a"}}],
            "securityContext":{{"windowsOptions":{options}}}}}}}"#
        );
        review(&pod).replacen("\"uid\"", &format!("\"dryRun\":{dry_run},\"uid\""), 1)
    };
    let invalid = r#"{"gmsaCredentialSpecName":"Kubectl-GMSA-Probe"}"#;
    let nameless = r#"{"gmsaCredentialSpec":"{}"}"#;
    for (step, body, decision, code) in [
        (Step::Mutate, question(PROBE, true, invalid), "probed", 422),
        (Step::Validate, question(PROBE, true, nameless), "probed", 422),
        (Step::Validate, question(PROBE, false, nameless), "denied", 422),
        (Step::Validate, question("web", true, nameless), "denied", 422),
        // Under this name, too, nobody finds out unseen what there is.
        (Step::Mutate, question(PROBE, true, r#"{"gmsaCredentialSpecName":"web"}"#), "denied", 403),
    ] {
        let admission = admission();
        let (text, now) = (body.as_bytes(), Instant::now());
        let answer = match admission.at_once(step, text, now).unwrap() {
            AtOnce::Answered(answer) => answer,
            AtOnce::Incomplete(facts) => {
                admission.at_length(step, text, facts, now, Duration::from_mins(1)).await.unwrap()
            }
        };
        assert_eq!(response(&answer)["status"]["code"], json!(code), "{body}");
        let counted = format!(r#"decision="{decision}",code="{code}"}} 1"#);
        let page = admission.metrics.render();
        assert!(page.contains(&counted), "{body}: {counted}: {page}");
        assert_eq!(page.contains(r#"decision="denied""#), decision == "denied", "{page}");
    }
}
