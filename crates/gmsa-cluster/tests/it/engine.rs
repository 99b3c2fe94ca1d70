//! The engine's policies decide as the core does, by the same bytes and in the same words; and whichever
//! one part of them is missing, no pod takes an identity unchecked.

mod literals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gmsa_cluster::installation::engine::differences;
use gmsa_cluster::installation::engine::{Policies, literal_policies, policies};
use gmsa_cluster::installation::{NamespaceRequirement, Options, Version};
use gmsa_core::admission::{
    Decision, Denial, Facts, Operation, Plan, Reason, Request as Asked, Right, SpecFact, Step,
    decide, patch, plan,
};
use gmsa_core::credspec::name::is_valid_name;
use gmsa_core::credspec::{Prepared, canonical_json};
use gmsa_core::index::{self, Spec};
use gmsa_core::names::{DENIED, SEEN};
use gmsa_core::pod::Pod;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::policy::{Policy, Request};

const VERSION: Version = Version(1, 36);

/// Names of credential specs that exist, one of them without contents.
const THERE: [&str; 4] = ["web", "db", "x.y-1", "hollow"];
/// Those that pods name.
const NAMES: [&str; 6] = ["web", "db", "x.y-1", "hollow", "gone", "WEB"];
const ACCOUNTS: [&str; 6] = ["WebApp1", "a<b&c", "caf\u{e9}", "q\"u", "back\\slash", "co:lon"];

/// One policy with what its binding says.
#[expect(clippy::struct_excessive_bools, reason = "each is a field of its own")]
struct Bound {
    name: String,
    policy: Policy,
    operation: String,
    seen_only: bool,
    params: bool,
    /// Whether a request is denied if the parameters are missing, or an expression fails.
    strict: bool,
    again: bool,
}

/// An API server with these policies.
struct Server {
    mutating: Vec<Bound>,
    validating: Vec<Bound>,
}

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Admitted(Value),
    /// The policy, the reason and the message.
    Denied(String, String, String),
}

impl Answer {
    fn is_admitted(&self) -> bool {
        matches!(self, Self::Admitted(_))
    }
}

fn bound(pair: &[Value]) -> Bound {
    let [policy, binding] = pair else { panic!("{pair:?}") };
    assert_eq!(policy["metadata"]["name"], binding["spec"]["policyName"]);
    let spec = &policy["spec"];
    let matched = &spec["matchConstraints"];
    let strict = spec["failurePolicy"] == "Fail";
    let params = spec["paramKind"].is_object();
    assert_eq!(params, binding["spec"]["paramRef"].is_object());
    if params {
        let not_found = &binding["spec"]["paramRef"]["parameterNotFoundAction"];
        assert_eq!(not_found, if strict { "Deny" } else { "Allow" });
    }
    Bound {
        name: policy["metadata"]["name"].as_str().unwrap().to_owned(),
        policy: Policy::new(policy),
        operation: matched["resourceRules"][0]["operations"][0].as_str().unwrap().to_owned(),
        seen_only: matched["objectSelector"] == json!({"matchLabels": {SEEN: "true"}}),
        params,
        strict,
        again: spec["reinvocationPolicy"] == "IfNeeded",
    }
}

impl Server {
    fn new(policies: &Policies) -> Self {
        let all = |list: &[Value]| list.chunks(2).map(bound).collect();
        Self { mutating: all(&policies.mutating), validating: all(&policies.validating) }
    }

    /// What becomes of a request. The mutating policies come in any order: backwards is one.
    fn admit(&self, request: &Request, backwards: bool, missing: &str) -> Answer {
        let mut request = request.clone();
        let mut order: Vec<&Bound> = self.mutating.iter().collect();
        if backwards {
            order.reverse();
        }
        let applies = |one: &&Bound| one.operation == request.operation && one.name != missing;
        let order: Vec<&Bound> = order.into_iter().filter(applies).collect();
        let mut again: BTreeSet<&str> = BTreeSet::new();
        let mut ran: BTreeSet<&str> = BTreeSet::new();
        for pass in 0..2 {
            for one in &order {
                if pass == 1 && !again.contains(one.name.as_str()) {
                    continue;
                }
                match change(one, &mut request) {
                    Ok(true) => again.extend(&ran),
                    Err(error) if one.strict => {
                        return Answer::Denied(one.name.clone(), "Forbidden".to_owned(), error);
                    }
                    Ok(false) | Err(_) => {}
                }
                if one.again && pass == 0 {
                    ran.insert(&one.name);
                }
            }
        }
        if request.operation == "UPDATE" {
            // Of anything else an update of this kind changes nothing.
            let added = request.object["spec"].get("ephemeralContainers").cloned();
            request.object = request.old_object.clone();
            if let Some(added) = added {
                request.object["spec"]["ephemeralContainers"] = added;
            }
        }
        if let Some(error) = built_in(&request.object) {
            return Answer::Denied("built-in".to_owned(), "Invalid".to_owned(), error);
        }
        let seen = request.object["metadata"]["labels"][SEEN] == "true";
        for one in &self.validating {
            let applies = one.operation == request.operation && one.name != missing;
            if !applies || (one.seen_only && !seen) {
                continue;
            }
            let denied =
                |reason: String, message: String| Answer::Denied(one.name.clone(), reason, message);
            if one.params && request.params.is_none() {
                if one.strict {
                    return denied("Invalid".to_owned(), "no params found".to_owned());
                }
                continue;
            }
            match one.policy.evaluate(&request) {
                Ok(Some((reason, message))) => return denied(reason, message),
                Err(error) if one.strict => return denied("Invalid".to_owned(), error),
                Ok(None) | Err(_) => {}
            }
        }
        Answer::Admitted(request.object)
    }
}

/// Whether a policy changed the object.
fn change(one: &Bound, request: &mut Request) -> Result<bool, String> {
    if one.params && request.params.is_none() {
        return Ok(false);
    }
    let changes = one.policy.changes(request)?;
    let changes: json_patch::Patch = serde_json::from_value(json!(changes)).unwrap();
    let before = request.object.clone();
    json_patch::patch(&mut request.object, &changes).map_err(|error| error.to_string())?;
    Ok(request.object != before)
}

/// What API servers themselves refuse.
fn built_in(object: &Value) -> Option<String> {
    let text = object.to_string();
    let pod: Pod<'_> = serde_json::from_str(&text).unwrap();
    pod.references().find_map(|reference| {
        let invalid = reference.name.filter(|name| !is_valid_name(name));
        let large = reference.contents.filter(|contents| contents.is_longer_than(64 * 1024));
        (invalid.is_some() || large.is_some()).then(|| format!("{reference:?}"))
    })
}

fn credential_spec(account: &str, with_plugin: bool) -> Value {
    let mut contents = json!({
        "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": [
            {"Name": account, "Scope": "CONTOSO"}, {"Name": account, "Scope": "contoso.com"}]},
        "CmsPlugins": ["ActiveDirectory"],
        "DomainJoinConfig": {"DnsName": "contoso.com", "MachineAccountName": account},
    });
    if with_plugin {
        contents["ActiveDirectoryConfig"]["HostAccountConfig"] = json!({
            "PluginGUID": "{CCC2A336-D7F3-4818-A213-272B7924213E}",
            "PluginInput": "ObjectId=1, [x]: {y}", "PortableCcgVersion": "1"});
    }
    json!({"credspec": contents})
}

/// Credential specs by name.
type Specs = BTreeMap<String, Value>;

fn specs() -> impl Strategy<Value = Specs> {
    let one = (proptest::sample::select(&ACCOUNTS[..]), any::<bool>())
        .prop_map(|(account, with_plugin)| credential_spec(account, with_plugin));
    proptest::collection::vec(one, THERE.len()).prop_map(|all| {
        let mut specs: Specs = THERE.iter().map(|name| (*name).to_owned()).zip(all).collect();
        specs.insert("hollow".to_owned(), json!({"credspec": {}}));
        specs
    })
}

fn of_index(specs: &Specs) -> BTreeMap<String, Spec> {
    specs.iter().map(|(name, object)| (name.clone(), Spec::of(object))).collect()
}

fn index_of(specs: &Specs) -> Value {
    let specs = of_index(specs);
    index::build(specs.iter().map(|(name, spec)| (name.as_str(), spec))).object()
}

/// How contents are preset.
#[derive(Clone, Debug)]
enum Preset {
    Right,
    Pretty,
    /// The keys of each object backwards.
    Backwards,
    Of(&'static str),
    Text(&'static str),
    /// The right one with one character removed, doubled, or replaced.
    Damaged(prop::sample::Index, u8),
    Huge,
}

fn backwards(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let members: Vec<String> = map
                .iter()
                .rev()
                .map(|(key, value)| format!("{} : {}", json!(key), backwards(value)))
                .collect();
            format!("{{ {} }}", members.join(" ,\n"))
        }
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(backwards).collect();
            format!("[{}\t]", items.join(", "))
        }
        other => other.to_string(),
    }
}

impl Preset {
    fn text(&self, specs: &Specs, name: Option<&str>) -> String {
        let contents =
            |name: &str| specs.get(name).map_or(json!({}), |one| one["credspec"].clone());
        let own = contents(name.unwrap_or("web"));
        match self {
            Self::Right => canonical_json(&own),
            Self::Pretty => serde_json::to_string_pretty(&own).unwrap(),
            Self::Backwards => backwards(&own),
            Self::Of(name) => canonical_json(&contents(name)),
            Self::Text(text) => (*text).to_owned(),
            Self::Damaged(at, how) => {
                let mut text: Vec<char> = backwards(&own).chars().collect();
                let at = at.index(text.len());
                match how % 5 {
                    0 => drop(text.remove(at)),
                    1 => text.insert(at, text[at]),
                    2 => text[at] = '}',
                    3 => text.insert(at, ' '),
                    _ => text[at] = '"',
                }
                text.into_iter().collect()
            }
            Self::Huge => "x".repeat(64 * 1024 + 1),
        }
    }
}

/// A security context in every degree of completeness.
fn security_context() -> impl Strategy<Value = Option<(Option<&'static str>, Option<Preset>)>> {
    let name =
        prop_oneof![1 => Just(None), 6 => proptest::sample::select(&NAMES[..]).prop_map(Some)];
    let preset = prop_oneof![
        4 => Just(Preset::Right),
        1 => Just(Preset::Pretty),
        1 => Just(Preset::Backwards),
        1 => proptest::sample::select(&THERE[..]).prop_map(Preset::Of),
        1 => proptest::sample::select(vec!["", "{}", "\u{1}", "\u{2}403 x", "forged"])
            .prop_map(Preset::Text),
        2 => (any::<prop::sample::Index>(), any::<u8>())
            .prop_map(|(at, how)| Preset::Damaged(at, how)),
        1 => Just(Preset::Huge),
    ];
    let preset = prop_oneof![2 => Just(None), 1 => preset.prop_map(Some)];
    prop_oneof![2 => Just(None), 3 => (name, preset).prop_map(Some)]
}

fn context(specs: &Specs, of: &(Option<&'static str>, Option<Preset>)) -> Value {
    let (name, preset) = of;
    let mut options = json!({"runAsUserName": "x"});
    if let Some(name) = name {
        options["gmsaCredentialSpecName"] = json!(name);
    }
    if let Some(preset) = preset {
        options["gmsaCredentialSpec"] = json!(preset.text(specs, *name));
    }
    json!({"windowsOptions": options})
}

type Context = Option<(Option<&'static str>, Option<Preset>)>;

fn containers(prefix: &str, specs: &Specs, contexts: &[Context]) -> Value {
    let container = |(index, of): (usize, &Context)| {
        let mut container = json!({"name": format!("{prefix}-{index}"), "image": "i"});
        if let Some(of) = of {
            container["securityContext"] = context(specs, of);
        }
        container
    };
    contexts.iter().enumerate().map(container).collect()
}

prop_compose! {
    fn requests()(
        specs in specs(),
        own in security_context(),
        main in proptest::collection::vec(security_context(), 1..3),
        init in proptest::collection::vec(security_context(), 0..2),
        ephemeral in proptest::collection::vec(security_context(), 0..2),
        account in proptest::sample::select(vec![None, Some(""), Some("web")]),
        owner in proptest::sample::select(vec![None, Some(false), Some(true)]),
        labels in proptest::sample::select(vec![None, Some(json!({"app": "a"})), Some(json!({SEEN: "true"}))]),
        rights in proptest::sample::subsequence(&NAMES[..], 0..=NAMES.len()),
    ) -> (Specs, Request) {
        let some = |list: Value| (list != json!([])).then_some(list);
        let fields = [
            ("securityContext", own.as_ref().map(|of| context(&specs, of))),
            ("containers", Some(containers("c", &specs, &main))),
            ("initContainers", some(containers("i", &specs, &init))),
            ("ephemeralContainers", some(containers("e", &specs, &ephemeral))),
            ("serviceAccountName", account.map(|account| json!(account))),
        ];
        let spec: Map<String, Value> = fields
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect();
        let mut metadata = json!({"name": "p"});
        if let Some(controller) = owner {
            metadata = json!({"generateName": "p-", "ownerReferences": [
                {"kind": "Team", "name": "t"},
                {"kind": "ReplicaSet", "name": "web-5d9f", "controller": controller}]});
        }
        if let Some(labels) = labels {
            metadata["labels"] = labels;
        }
        let holder = account.filter(|account| !account.is_empty()).unwrap_or("default");
        let request = Request {
            namespace: "shop",
            operation: "CREATE",
            namespace_object: json!({"metadata": {"name": "shop"}}),
            object: json!({"metadata": metadata, "spec": spec}),
            rights: rights.iter().map(|name| (holder.to_owned(), (*name).to_owned())).collect(),
            params: Some(index_of(&specs)),
            ..Request::default()
        };
        (specs, request)
    }
}

/// The request that adds the ephemeral containers of a pod, but for the first so many.
fn addition(request: &Request, kept: usize) -> Request {
    let mut request = request.clone();
    request.operation = "UPDATE";
    request.old_object = request.object.clone();
    if let Some(Value::Array(list)) = request.old_object["spec"].get_mut("ephemeralContainers") {
        list.truncate(kept);
    }
    request
}

/// What the core decides in one step: the denials, or the changes.
fn step(
    step: Step,
    specs: &Specs,
    request: &Request,
    object: &Value,
) -> Result<Value, Vec<Denial>> {
    let (text, old) = (object.to_string(), request.old_object.to_string());
    let pod: Pod<'_> = serde_json::from_str(&text).unwrap();
    let old: Option<Pod<'_>> = serde_json::from_str(&old).unwrap();
    let mut asked = Asked::creation(step, request.namespace, &pod);
    if let Some(old) = &old {
        asked.operation = Some(Operation::Update);
        asked.subresource = "ephemeralcontainers";
        asked.old_object = Some(old);
    }
    let judgement = match plan(&asked) {
        Plan::Decided(decision) if decision.is_allowed() => return Ok(json!([])),
        Plan::Decided(decision) => return Err(decision.denials().to_vec()),
        Plan::Judge(judgement) => judgement,
    };
    let mut facts = Facts::new(judgement.names().len());
    for (index, name) in judgement.names().iter().enumerate() {
        let fact = match specs.get(*name) {
            None => SpecFact::Absent,
            Some(object) => Prepared::from_object(name, object)
                .map_or(SpecFact::Empty, |prepared| SpecFact::Found(Arc::new(prepared))),
        };
        facts.set_spec(index, fact, true);
        let key = (judgement.service_account().to_owned(), (*name).to_owned());
        let right = if request.rights.contains(&key) { Right::Allowed } else { Right::Denied };
        facts.set_right(index, right);
    }
    facts.set_hint("WEB", Some("web".to_owned()));
    let decision = decide(&judgement, &facts);
    match decision.denials() {
        [] => Ok(serde_json::from_str(&patch::to_json(decision.operations())).unwrap()),
        denials => Err(denials.to_vec()),
    }
}

/// What becomes of a request by the core's two steps.
fn core(specs: &Specs, request: &Request) -> Result<Value, Vec<Denial>> {
    let changes = step(Step::Mutate, specs, request, &request.object)?;
    let changes: json_patch::Patch = serde_json::from_value(changes).unwrap();
    let mut object = request.object.clone();
    json_patch::patch(&mut object, &changes).unwrap();
    step(Step::Validate, specs, request, &object)?;
    Ok(object)
}

/// The core's words; policies do not say which key differs.
fn words(denials: &[Denial]) -> String {
    let said = denials.iter().map(|denial| match denial.reason {
        Reason::Mismatch => {
            let (head, tail) = denial.message.split_once("of GMSA resource \"").unwrap();
            let (name, tail) = tail.split_once('"').unwrap();
            let (_, remedy) = tail.split_once("; leave").unwrap();
            format!("{head}of GMSA resource \"{name}\"; leave{remedy}")
        }
        _ => denial.message.clone(),
    });
    said.collect::<Vec<_>>().join("; ")
}

/// Whether CEL can compare all contents: a backslash or a quote within them it cannot.
fn is_readable(specs: &Specs) -> bool {
    specs.values().all(|one| {
        let text = canonical_json(&one["credspec"]);
        !text.contains("\\\\") && !text.contains("\\\"")
    })
}

/// What of a new pod only the policies deny, as `review` says it.
fn denied_by_policies(specs: &Specs, request: &Request, denials: &[Denial]) -> Vec<Denial> {
    let text = request.object.to_string();
    let pod: Pod<'_> = serde_json::from_str(&text).unwrap();
    let spec = |name: &str| match specs.get(name).map(|object| Prepared::from_object(name, object))
    {
        Some(Some(prepared)) => Ok::<_, ()>(SpecFact::Found(Arc::new(prepared))),
        Some(None) => Ok(SpecFact::Empty),
        None => Ok(SpecFact::Absent),
    };
    let decision =
        if denials.is_empty() { Decision::allow() } else { Decision::deny(denials.to_vec()) };
    differences::of(&pod, &decision, spec, false).unwrap().denials
}

fn without_mark(mut object: Value) -> Value {
    if let Some(labels) = object["metadata"].get_mut("labels").and_then(Value::as_object_mut) {
        labels.remove(SEEN);
    }
    if object["metadata"]["labels"] == json!({}) {
        object["metadata"].as_object_mut().unwrap().remove("labels");
    }
    object
}

fn assert_alike(specs: &Specs, request: &Request, answer: &Answer) -> Result<(), TestCaseError> {
    let is_new = request.operation == "CREATE";
    match (core(specs, request), answer) {
        (Ok(expected), Answer::Admitted(stored)) => {
            let denied = denied_by_policies(specs, request, &[]);
            prop_assert!(!is_new || denied.is_empty(), "{:?}", denied);
            let [expected, stored] = [expected, stored.clone()].map(without_mark);
            prop_assert_eq!(expected, stored);
        }
        (Err(denials), Answer::Denied(policy, reason, message)) => {
            let code = denials[0].reason.code();
            let expected = if code == 403 { "Forbidden" } else { "Invalid" };
            let expected_words = words(&denials);
            if !is_readable(specs) && message.contains("does not match") {
                return Ok(());
            }
            if expected_words.len() < 4_500 && denials.len() < 25 {
                prop_assert_eq!(&expected_words, message, "{}", policy);
                prop_assert_eq!(expected, reason.as_str(), "{}: {}", policy, message);
            } else {
                prop_assert!(message.contains("[and more]"), "{}", message);
            }
            prop_assert!(message.len() <= 5_120, "{} bytes", message.len());
        }
        (Ok(_), Answer::Denied(_, _, message)) => {
            let other_way = message.contains("does not match") && !is_readable(specs);
            prop_assert!(other_way, "only the policies deny: {:?}", answer);
            let expected = words(&denied_by_policies(specs, request, &[]));
            prop_assert!(!is_new || expected == *message, "{} {}", expected, message);
        }
        (Err(denials), Answer::Admitted(_)) => {
            prop_assert!(false, "only the core denies: {:?}", denials);
        }
    }
    Ok(())
}

fn server() -> Server {
    Server::new(&policies(&Options::default(), VERSION))
}

/// The server of every test that has the default options: compiling costs more than evaluating.
fn with_server<T>(test: impl FnOnce(&Server) -> T) -> T {
    thread_local! {
        static SERVER: Server = server();
    }
    SERVER.with(test)
}

/// Whether each identity in an admitted object is one that the service account may use, with the contents
/// of its credential spec.
fn is_checked(specs: &Specs, request: &Request, admitted: &Value) -> bool {
    step(Step::Validate, specs, request, admitted).is_ok()
}

/// Whether contents begin as those that a policy has refused: the words of the denial are then the user's.
fn carries_a_mark(request: &Request) -> bool {
    request.object.to_string().contains(r#"Spec":"\u0002"#)
}

/// Whether the core has nothing to look at.
fn is_plain(request: &Request) -> bool {
    // No credential spec exists, so whatever uses one is denied.
    step(Step::Validate, &Specs::new(), request, &request.object).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_pod_is_decided_as_the_core_decides_it((specs, request) in requests()) {
        let answer = with_server(|server| server.admit(&request, false, ""));
        assert_alike(&specs, &request, &answer)?;
    }

    #[test]
    fn what_an_ephemeral_container_adds_is_decided_as_the_core_decides_it(
        (specs, request) in requests(),
        kept in 0..2_usize,
        backwards in any::<bool>(),
    ) {
        let request = addition(&request, kept);
        // What is there was admitted before.
        prop_assume!(built_in(&request.old_object).is_none());
        let answer = with_server(|server| server.admit(&request, backwards, ""));
        // A mark in what is added is refused; one that was there before is not looked at again.
        if carries_a_mark(&request) && matches!(answer, Answer::Denied(..)) {
            return Ok(());
        }
        assert_alike(&specs, &request, &answer)?;
    }

    #[test]
    fn whatever_one_part_is_missing_no_identity_is_unchecked(
        (specs, mut request) in requests(),
        kept in 0..2_usize,
        added in any::<bool>(),
        backwards in any::<bool>(),
        part in any::<prop::sample::Index>(),
    ) {
        if added {
            request = addition(&request, kept);
            prop_assume!(built_in(&request.old_object).is_none());
        }
        with_server(|server| {
            let mut parts: Vec<&str> = server
                .mutating.iter().chain(&server.validating).map(|one| one.name.as_str()).collect();
            parts.push("the index");
            let missing = parts[part.index(parts.len())];
            if missing == "the index" {
                request.params = None;
            }
            let answer = server.admit(&request, backwards, missing);
            match &answer {
                Answer::Admitted(object) => {
                    prop_assert!(is_checked(&specs, &request, object), "without {}", missing);
                }
                Answer::Denied(policy, _, message) => {
                    // A user who sets the label asks for the check.
                    let asks = !added && request.object["metadata"]["labels"][SEEN] == "true";
                    let plain = is_plain(&request) && !asks;
                    prop_assert!(!plain, "a plain pod without {}: {} {}", missing, policy, message);
                }
            }
            Ok(())
        })?;
    }
}

proptest! {
    // Each case compiles policies of its own.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn literals_decide_as_the_index_does((specs, request) in requests(), kept in 0..2_usize) {
        let literals = Server::new(&literal_policies(&Options::default(), VERSION, &of_index(&specs)));
        for request in [request.clone(), addition(&request, kept)] {
            prop_assume!(request.operation == "CREATE" || built_in(&request.old_object).is_none());
            let by_index = with_server(|server| server.admit(&request, false, ""));
            let mut by_literals = literals.admit(&Request { params: None, ..request }, false, "");
            if let Answer::Denied(policy, ..) = &mut by_literals {
                *policy = policy.replace("-static-", "-engine-");
            }
            prop_assert_eq!(by_index, by_literals);
        }
    }
}

#[test]
fn every_name_up_to_the_limit_is_checked() {
    let names: Vec<String> = (0..=20).map(|index| format!("spec-{index}")).collect();
    let specs: Specs =
        names.iter().map(|name| (name.clone(), credential_spec(name, false))).collect();
    let with = |count: usize, fields: usize| {
        let container = |index: usize| {
            json!({"name": format!("c{index}"), "securityContext": {"windowsOptions":
                {"gmsaCredentialSpecName": names[index % count]}}})
        };
        Request {
            namespace: "shop",
            operation: "CREATE",
            namespace_object: json!({"metadata": {"name": "shop"}}),
            object: json!({"metadata": {"name": "p"},
                "spec": {"containers": (0..fields).map(container).collect::<Vec<_>>()}}),
            rights: names.iter().map(|name| ("default".to_owned(), name.clone())).collect(),
            params: Some(index_of(&specs)),
            ..Request::default()
        }
    };
    let server = server();
    let mut request = with(20, 40);
    let answer = server.admit(&request, false, "");
    assert_eq!(
        Answer::Admitted(without_label(&answer)),
        Answer::Admitted(core(&specs, &request).unwrap())
    );
    for name in [0, 9, 19].map(|index| &names[index]) {
        let right = ("default".to_owned(), name.clone());
        request.rights.remove(&right);
        let Answer::Denied(_, reason, message) = server.admit(&request, false, "") else {
            panic!()
        };
        assert_eq!(reason, "Forbidden");
        assert!(message.contains(&format!("grant {name} --to shop/default`")), "{message}");
        request.rights.insert(right);
    }
    for (request, words) in [
        (with(21, 21), "more than 20 different GMSA cred specs"),
        (with(1, 501), "501 fields of the pod use a GMSA"),
    ] {
        let Answer::Denied(_, reason, message) = server.admit(&request, false, "") else {
            panic!()
        };
        assert_eq!(reason, "Invalid");
        assert!(message.contains(words), "{message}");
        assert!(!server.admit(&addition(&as_ephemeral(&request), 0), true, "").is_admitted());
    }
    // A text that would be too long is cut.
    let mut request = with(20, 500);
    request.rights.clear();
    let Answer::Denied(_, _, message) = server.admit(&request, false, "") else { panic!() };
    assert!(message.len() < 5_120 && message.contains("[and more]"), "{} bytes", message.len());
}

/// The containers as ephemeral ones.
fn as_ephemeral(request: &Request) -> Request {
    let mut request = request.clone();
    let containers = request.object["spec"]["containers"].take();
    request.object["spec"]["ephemeralContainers"] = containers;
    request
}

fn without_label(answer: &Answer) -> Value {
    match answer {
        Answer::Admitted(object) => {
            assert_eq!(object["metadata"]["labels"][SEEN], "true");
            assert!(object["metadata"]["annotations"][DENIED].is_null());
            let mut object = object.clone();
            object["metadata"].as_object_mut().unwrap().remove("labels");
            object
        }
        denied @ Answer::Denied(..) => panic!("{denied:?}"),
    }
}

#[test]
fn a_namespace_that_is_left_out_has_no_gmsa() {
    let specs: Specs = [("web".to_owned(), credential_spec("WebApp1", false))].into();
    let one = NamespaceRequirement {
        key: "team".to_owned(),
        operator: "In".to_owned(),
        values: vec!["a".to_owned()],
    };
    let options = Options { namespace_requirements: vec![one], ..Options::default() };
    let policies = policies(&options, VERSION);
    for binding in policies.mutating.iter().skip(1).step_by(2) {
        let selector = &binding["spec"]["matchResources"]["namespaceSelector"];
        assert_eq!(selector["matchExpressions"][0]["key"], "team", "{binding}");
    }
    let server = Server::new(&policies);
    let windows = json!({"windowsOptions": {"gmsaCredentialSpecName": "web"}});
    for (team, admitted) in [("a", true), ("b", false)] {
        let request = Request {
            namespace: "shop",
            operation: "CREATE",
            namespace_object: json!({"metadata": {"name": "shop", "labels": {"team": team}}}),
            object: json!({"metadata": {"name": "p"}, "spec": {"containers": [],
                "securityContext": windows}}),
            rights: [("default".to_owned(), "web".to_owned())].into(),
            params: Some(index_of(&specs)),
            ..Request::default()
        };
        let mut added = addition(&request, 0);
        added.object["spec"]["ephemeralContainers"] =
            json!([{"name": "debug", "securityContext": windows}]);
        for request in [request, added] {
            let answer = server.admit(&request, false, "");
            assert_eq!(answer.is_admitted(), admitted, "{answer:?}");
            if let Answer::Denied(_, reason, message) = answer {
                assert_eq!(reason, "Forbidden");
                assert!(message.contains("namespace \"shop\" is left out"), "{message}");
            }
        }
    }
}
