//! The CEL expression that filters pods says the same as the core, on generated pods.

use cel::{Context, Program, Value as Cel};
use gmsa_cluster::installation::{EARLY_WARNINGS_CONDITION, MATCH_CONDITION};
use gmsa_core::admission::{Operation, Plan, Request, Step, plan};
use gmsa_core::pod::Pod;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What CEL says, as an API server with a webhook of failurePolicy Fail takes it: an error is none.
fn sent(condition: &str, object: &Value) -> Result<bool, String> {
    asked(condition, "CREATE", object, &Value::Null)
}

/// The same of an update.
fn asked(condition: &str, operation: &str, object: &Value, old: &Value) -> Result<bool, String> {
    let program = Program::compile(condition).expect("the expression compiles");
    let mut context = Context::default();
    context.add_variable("object", object.clone()).unwrap();
    context.add_variable("oldObject", old.clone()).unwrap();
    context.add_variable("request", json!({"operation": operation})).unwrap();
    match program.execute(&context) {
        Ok(Cel::Bool(sent)) => Ok(sent),
        other => Err(format!("{other:?}")),
    }
}

/// A security context in every degree of completeness.
fn security_context() -> impl Strategy<Value = Option<Value>> {
    let options = proptest::sample::subsequence(
        vec!["gmsaCredentialSpecName", "gmsaCredentialSpec", "runAsUserName"],
        0..=3,
    )
    .prop_map(|keys| {
        let keys: Map<String, Value> =
            keys.into_iter().map(|key| (key.to_owned(), json!("x"))).collect();
        json!({"windowsOptions": keys})
    });
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(json!({}))),
        1 => Just(Some(json!({"runAsNonRoot": true}))),
        2 => options.prop_map(Some),
    ]
}

fn containers(least: usize) -> impl Strategy<Value = Option<Value>> {
    let container = security_context().prop_map(|context| {
        let mut container = json!({"name": "c", "image": "i"});
        if let (Some(context), Some(container)) = (context, container.as_object_mut()) {
            container.insert("securityContext".to_owned(), context);
        }
        container
    });
    let list = proptest::collection::vec(container, least..3);
    let some = list.prop_map(|list| Some(Value::Array(list)));
    if least > 0 { some.boxed() } else { prop_oneof![Just(None), some].boxed() }
}

prop_compose! {
    fn pods()(
        context in security_context(),
        main in containers(1),
        init in containers(0),
        ephemeral in containers(0),
    ) -> Value {
        let fields = [
            ("securityContext", context),
            ("containers", main),
            ("initContainers", init),
            ("ephemeralContainers", ephemeral),
        ];
        let spec: Map<String, Value> = fields
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect();
        json!({"metadata": {"name": "p"}, "spec": spec})
    }
}

proptest! {
    #[test]
    fn what_uses_a_gmsa_is_sent_and_nothing_else(pod in pods()) {
        let text = pod.to_string();
        let read: Pod<'_> = serde_json::from_str(&text).unwrap();
        let uses = read.references().next().is_some();
        prop_assert_eq!(sent(MATCH_CONDITION, &pod), Ok(uses), "{}", text);
        for spec in [
            json!({"template": pod}),
            json!({"jobTemplate": {"spec": {"template": pod}}, "schedule": "@daily"}),
        ] {
            let workload = json!({"metadata": {"name": "w"}, "spec": spec});
            prop_assert_eq!(sent(EARLY_WARNINGS_CONDITION, &workload), Ok(uses), "{}", workload);
        }
    }
}

proptest! {
    /// Ephemeral containers come one by one to what the pod has, with and without a GMSA.
    #[test]
    fn of_an_update_only_new_ephemeral_containers_with_a_gmsa_are_sent(
        pod in pods(), more in containers(0), kept in 0..3_usize,
    ) {
        let mut old = pod.clone();
        let list = |pod: &Value| pod["spec"]["ephemeralContainers"].as_array().cloned();
        let had: Vec<Value> = list(&old).unwrap_or_default().into_iter().take(kept).collect();
        old["spec"]["ephemeralContainers"] = json!(had);
        let mut new = old.clone();
        let added = more.and_then(|more| more.as_array().cloned()).unwrap_or_default();
        let options = |one: &Value, key: &str| {
            one.pointer(&format!("/securityContext/windowsOptions/{key}")).is_some()
        };
        let uses = |one: &Value| {
            options(one, "gmsaCredentialSpecName") || options(one, "gmsaCredentialSpec")
        };
        let brings_one = added.iter().any(|one| uses(one) && !had.contains(one));
        new["spec"]["ephemeralContainers"] = json!([had.clone(), added].concat());
        let text = [old.to_string(), new.to_string()];
        let before: Pod<'_> = serde_json::from_str(&text[0]).unwrap();
        let after: Pod<'_> = serde_json::from_str(&text[1]).unwrap();
        let request = Request {
            operation: Some(Operation::Update),
            subresource: "ephemeralcontainers",
            old_object: Some(&before),
            ..Request::creation(Step::Validate, "shop", &after)
        };
        prop_assert_eq!(asked(MATCH_CONDITION, "UPDATE", &new, &old), Ok(brings_one), "{:?}", text);
        // Nothing that the core would look at is kept from it.
        let is_judged = matches!(plan(&request), Plan::Judge(_));
        prop_assert!(brings_one || !is_judged, "{:?}", text);
    }
}

#[test]
fn annotations_that_nothing_reads_are_sent_for_an_early_warning() {
    let old = "pod.alpha.windows.kubernetes.io/gmsa-credential-spec-name";
    let containers = json!({"containers": [{"name": "c", "image": "i"}]});
    let template = |annotations: Value| json!({"metadata": annotations, "spec": containers});
    let workload = |own: Value, spec: Value| json!({"metadata": own, "spec": spec});
    let annotated = |key: &str| json!({"annotations": {"other": "x", key: "web"}});
    let plain = || json!({"name": "w"});
    let job = |template: Value| json!({"jobTemplate": {"spec": {"template": template}}});
    for (object, expected) in [
        (workload(plain(), json!({"template": template(annotated(old))})), true),
        (workload(annotated(old), json!({"template": template(plain())})), true),
        (workload(plain(), job(template(annotated(old)))), true),
        (workload(plain(), json!({"template": template(annotated("gmsa"))})), false),
        (workload(annotated("gmsa"), job(template(plain()))), false),
        (workload(plain(), json!({"template": {"spec": containers}})), false),
        (workload(plain(), job(json!({"spec": containers}))), false),
    ] {
        assert_eq!(sent(EARLY_WARNINGS_CONDITION, &object), Ok(expected), "{object}");
    }
}
