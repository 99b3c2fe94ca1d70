//! The guard denies what the core's validating step denies for the same reasons, in the same words.

use std::sync::Arc;

use gmsa_cluster::installation::{MOST_NAMES, NamespaceRequirement, Options, Version, objects};
use gmsa_core::admission::{
    Denial, Facts, Operation, Plan, Reason, Request as Asked, Right, SpecFact, Step, decide, plan,
};
use gmsa_core::credspec::Prepared;
use gmsa_core::names::PROBE_LABEL;
use gmsa_core::pod::Pod;
use gmsa_core::rbac::LabelSelector;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::policy::{Denied, Policy, Request};

const NAMES: [&str; 3] = ["web", "db", "x.y-1"];

fn guard(options: &Options) -> Value {
    objects(options, Version(1, 30)).policies.remove(0)
}

/// Answers of the guard that every namespace has.
fn guarded(request: &Request) -> Result<Denied, String> {
    thread_local! {
        static POLICY: Policy = Policy::new(&guard(&Options::default()));
    }
    POLICY.with(|policy| policy.evaluate(request))
}

fn credential_spec(name: &str) -> Value {
    json!({"metadata": {"name": name}, "credspec": {"DomainJoinConfig": {"MachineAccountName": name}}})
}

fn prepared(name: &str) -> Prepared {
    Prepared::from_object(name, &credential_spec(name)).unwrap()
}

/// A security context in every degree of completeness.
fn security_context() -> impl Strategy<Value = Option<Value>> {
    let name =
        prop_oneof![1 => Just(None), 4 => proptest::sample::select(&NAMES[..]).prop_map(Some)];
    let contents = prop_oneof![
        2 => Just(None),
        4 => Just(Some(None)),
        1 => Just(Some(Some("forged"))),
    ];
    let options = (name, contents).prop_map(|(name, contents)| {
        let mut options = json!({"runAsUserName": "x"});
        if let Some(name) = name {
            options["gmsaCredentialSpecName"] = json!(name);
        }
        match contents {
            Some(None) => {
                options["gmsaCredentialSpec"] = json!(prepared(name.unwrap_or("web")).json());
            }
            Some(Some(forged)) => options["gmsaCredentialSpec"] = json!(forged),
            None => {}
        }
        json!({"windowsOptions": options})
    });
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(json!({"runAsNonRoot": true}))),
        4 => options.prop_map(Some),
    ]
}

fn containers(prefix: &'static str, count: std::ops::Range<usize>) -> impl Strategy<Value = Value> {
    proptest::collection::vec(security_context(), count).prop_map(move |contexts| {
        let container = |(index, context): (usize, Option<Value>)| {
            let mut container = json!({"name": format!("{prefix}-{index}"), "image": "i"});
            if let Some(context) = context {
                container["securityContext"] = context;
            }
            container
        };
        contexts.into_iter().enumerate().map(container).collect()
    })
}

prop_compose! {
    fn pods()(
        context in security_context(),
        main in containers("c", 1..4),
        init in containers("i", 0..3),
        ephemeral in containers("e", 0..3),
        account in proptest::sample::select(vec![None, Some(""), Some("web")]),
    ) -> Value {
        let account = account.map(|account| json!(account));
        let some = |list: Value| (list != json!([])).then_some(list);
        let fields = [
            ("securityContext", context),
            ("containers", Some(main)),
            ("initContainers", some(init)),
            ("ephemeralContainers", some(ephemeral)),
            ("serviceAccountName", account),
        ];
        let spec: Map<String, Value> = fields
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect();
        json!({"metadata": {"name": "p"}, "spec": spec})
    }
}

fn rights() -> impl Strategy<Value = Vec<(String, String)>> {
    let all: Vec<(String, String)> = ["default", "web", "other"]
        .into_iter()
        .flat_map(|account| NAMES.map(|name| (account.to_owned(), name.to_owned())))
        .collect();
    let count = all.len();
    proptest::sample::subsequence(all, 0..=count)
}

/// What the core's validating step denies, where every credential spec exists.
fn denials(request: &Request) -> Vec<Denial> {
    let (text, old) = (request.object.to_string(), request.old_object.to_string());
    let pod: Pod<'_> = serde_json::from_str(&text).unwrap();
    let old: Option<Pod<'_>> = serde_json::from_str(&old).unwrap();
    let mut asked = Asked::creation(Step::Validate, request.namespace, &pod);
    if let Some(old) = &old {
        asked.operation = Some(Operation::Update);
        asked.subresource = "ephemeralcontainers";
        asked.old_object = Some(old);
    }
    let judgement = match plan(&asked) {
        Plan::Decided(decision) => return decision.denials().to_vec(),
        Plan::Judge(judgement) => judgement,
    };
    let mut facts = Facts::new(judgement.names().len());
    for (index, name) in judgement.names().iter().enumerate() {
        facts.set_spec(index, SpecFact::Found(Arc::new(prepared(name))), true);
        let key = (judgement.service_account().to_owned(), (*name).to_owned());
        let right = if request.rights.contains(&key) { Right::Allowed } else { Right::Denied };
        facts.set_right(index, right);
    }
    decide(&judgement, &facts).denials().to_vec()
}

/// What the guard is to say where the core denies so: of what it checks itself, the concern that
/// comes first in the catalogue, and of missing rights the first name.
fn expected(denials: &[Denial]) -> Option<(&'static str, String)> {
    let own = [
        (Reason::ContentsWithoutName, "Invalid"),
        (Reason::NotAuthorized, "Forbidden"),
        (Reason::NotExpanded, "Invalid"),
    ];
    own.into_iter().find_map(|(reason, status)| {
        let of: Vec<&Denial> = denials.iter().filter(|denial| denial.reason == reason).collect();
        let named = |denial: &Denial| denial.message.split('"').nth(5).map(str::to_owned);
        let first = named(of.first()?);
        let said = |denial: &&Denial| match reason {
            Reason::NotExpanded => {
                let (head, _) = denial.message.split_once(": the mutating webhook").unwrap();
                Some(head.to_owned())
            }
            Reason::NotAuthorized => (named(denial) == first).then(|| denial.message.clone()),
            _ => Some(denial.message.clone()),
        };
        let said: Vec<String> = of.iter().filter_map(said).collect();
        Some((status, said.join("; ")))
    })
}

fn assert_alike(request: &Request) -> Result<(), TestCaseError> {
    let denials = denials(request);
    let answer = guarded(request).map_err(TestCaseError::fail)?;
    match (expected(&denials), answer) {
        (None, None) => {}
        (Some((status, words)), Some((reason, message))) => {
            prop_assert_eq!(status, reason.as_str(), "{}: {:?}", message, request);
            // The guard knows more causes for a name that was not expanded.
            let (said, _) = message.split_once(": the mutating webhook").unwrap_or((&message, ""));
            prop_assert_eq!(words, said);
        }
        (expected, answer) => {
            prop_assert!(false, "core {:?}, guard {:?}: {:?}", expected, answer, request);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_creation_of_a_pod_is_denied_as_the_core_denies_it(pod in pods(), rights in rights()) {
        assert_alike(&Request {
            namespace: "shop",
            operation: "CREATE",
            namespace_object: json!({"metadata": {"name": "shop"}}),
            object: pod,
            rights: rights.into_iter().collect(),
            ..Request::default()
        })?;
    }

    #[test]
    fn only_what_an_ephemeral_container_adds_is_judged(
        pod in pods(),
        kept in any::<prop::sample::Index>(),
        rights in rights(),
    ) {
        let mut old = pod.clone();
        if let Some(Value::Array(list)) = old["spec"].get_mut("ephemeralContainers") {
            list.truncate(kept.index(list.len() + 1));
        }
        assert_alike(&Request {
            namespace: "shop",
            operation: "UPDATE",
            namespace_object: json!({"metadata": {"name": "shop"}}),
            object: pod,
            old_object: old,
            rights: rights.into_iter().collect(),
            ..Request::default()
        })?;
    }

    #[test]
    fn a_namespace_that_is_left_out_has_no_gmsa(
        labels in proptest::sample::subsequence(vec!["gmsa-webhook", "team", "zone"], 0..=3),
        value in proptest::sample::select(vec!["enabled", "disabled", "a"]),
        operator in proptest::sample::select(vec!["In", "NotIn", "Exists", "DoesNotExist"]),
        opt_in in any::<bool>(),
        uses in any::<bool>(),
    ) {
        let values = if operator.ends_with("In") { vec!["a".to_owned(), "b".to_owned()] } else { vec![] };
        let one = NamespaceRequirement {
            key: "team".to_owned(), operator: operator.to_owned(), values };
        let options = Options {
            namespaces_opt_in: opt_in, namespace_requirements: vec![one], ..Options::default() };
        let requirements =
            gmsa_cluster::installation::namespace_requirements(&options, Version(1, 30));
        let selector = json!({"matchExpressions": requirements});
        let labels: std::collections::BTreeMap<String, String> =
            labels.into_iter().map(|key| (key.to_owned(), value.to_owned())).collect();
        let is_sent = LabelSelector::read(Some(&selector)).matches(&labels);
        let options_of_pod = if uses {
            json!({"gmsaCredentialSpecName": "web", "gmsaCredentialSpec": "{}"})
        } else {
            json!({})
        };
        let request = Request {
            namespace: "shop",
            operation: "CREATE",
            namespace_object: json!({"metadata": {"name": "shop", "labels": labels}}),
            object: json!({"metadata": {"name": "p"}, "spec": {"containers": [],
                "securityContext": {"windowsOptions": options_of_pod}}}),
            rights: [("default".to_owned(), "web".to_owned())].into(),
            ..Request::default()
        };
        let answer = Policy::new(&guard(&options)).evaluate(&request).map_err(TestCaseError::fail)?;
        prop_assert_eq!(answer.is_none(), !uses || is_sent, "{:?}: {:?}", answer, requirements);
        if let Some((reason, message)) = answer {
            prop_assert_eq!(reason, "Forbidden");
            prop_assert!(message.contains("left out by the GMSA webhook"), "{}", message);
        }
    }
}

/// A pod whose containers each name another credential spec, with contents.
fn with_names(count: usize) -> Request {
    let container = |index: usize| {
        let options = json!({"gmsaCredentialSpecName": format!("spec-{index}"),
            "gmsaCredentialSpec": "{}"});
        json!({"name": format!("c{index}"), "securityContext": {"windowsOptions": options}})
    };
    // Each twice: the number of fields does not count.
    let containers: Vec<Value> = (0..count).chain(0..count).map(container).collect();
    Request {
        namespace: "shop",
        operation: "CREATE",
        namespace_object: json!({"metadata": {"name": "shop"}}),
        object: json!({"metadata": {"name": "p"}, "spec": {"containers": containers}}),
        rights: (0..count).map(|index| ("default".to_owned(), format!("spec-{index}"))).collect(),
        ..Request::default()
    }
}

#[test]
fn the_right_to_every_name_is_asked_for_up_to_the_limit() {
    assert_eq!(guarded(&with_names(MOST_NAMES)).unwrap(), None);
    let mut one_missing = with_names(MOST_NAMES);
    for index in 0..MOST_NAMES {
        let missing = ("default".to_owned(), format!("spec-{index}"));
        one_missing.rights.remove(&missing);
        let (reason, message) = guarded(&one_missing).unwrap().unwrap();
        assert_eq!(reason, "Forbidden");
        let grant = format!("`kubectl gmsa grant spec-{index} --to shop/default`");
        assert!(message.contains(&grant), "{message}");
        one_missing.rights.insert(missing);
    }
    let (reason, message) = guarded(&with_names(MOST_NAMES + 1)).unwrap().unwrap();
    assert_eq!(reason, "Invalid");
    assert!(message.contains("more than 20 different GMSA cred specs"), "{message}");
}

#[test]
fn a_text_of_a_thousand_fields_is_cut() {
    let mut request = with_names(MOST_NAMES);
    let containers = request.object["spec"]["containers"].as_array().unwrap().clone();
    let many: Vec<Value> = containers.iter().cycle().take(1000).cloned().collect();
    request.object["spec"]["containers"] = json!(many);
    request.rights.clear();
    let (_, message) = guarded(&request).unwrap().unwrap();
    assert!(message.len() < 5_120 && message.contains("[and more]"), "{} bytes", message.len());
    // With the longest names that Kubernetes accepts.
    let (name, account) = ("n".repeat(253), "a".repeat(253));
    let context = json!({"windowsOptions": {"gmsaCredentialSpecName": name}});
    let container = json!({"name": "c".repeat(63), "securityContext": context});
    request.object["spec"]["serviceAccountName"] = json!(account);
    request.object["spec"]["containers"] = json!(vec![container; 100]);
    let (_, message) = guarded(&request).unwrap().unwrap();
    assert!(message.len() < 5_120, "{} bytes", message.len());
}

#[test]
fn the_probe_of_install_reaches_the_webhook_and_nothing_else_does() {
    let contents = json!({"gmsaCredentialSpec": "{}"});
    let request = |dry_run: bool, label: &str| Request {
        namespace: "shop",
        operation: "CREATE",
        dry_run,
        namespace_object: json!({"metadata": {"name": "shop"}}),
        object: json!({"metadata": {"name": "p", "labels": {label: "true"}}, "spec":
            {"containers": [], "securityContext": {"windowsOptions": contents}}}),
        ..Request::default()
    };
    assert_eq!(guarded(&request(true, PROBE_LABEL)).unwrap(), None);
    for (dry_run, label) in [(false, PROBE_LABEL), (true, "other")] {
        assert!(guarded(&request(dry_run, label)).unwrap().is_some(), "{dry_run} {label}");
    }
}

#[test]
fn servers_from_1_30_know_every_function() {
    let text = guard(&Options::default()).to_string();
    // Of later versions: optional fields need 1.29 everywhere, these 1.32 and 1.34.
    for newer in
        [".?", "transformList", "transformMap", ".distinct()", ".flatten(", ".sort()", ".slice("]
    {
        assert!(!text.contains(newer), "{newer}");
    }
    assert!(objects(&Options::default(), Version(1, 29)).policies.is_empty());
    let off = Options { guard: false, ..Options::default() };
    assert!(objects(&off, Version(1, 36)).policies.is_empty());
}
