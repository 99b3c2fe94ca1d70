mod world;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Facts, Operation, Plan, Reason, Request, Step, decide, patch, plan};
use crate::finding::Code;
use crate::grant::Grant;
use crate::pod::Pod;
use world::{World, contents, only_message, options, pod, push, reasons, request};

#[test]
fn a_pod_without_a_gmsa_asks_nothing() {
    let (_, decision) = World::default().admit(&pod(None, None));
    assert!(decision.is_allowed());
    assert!(decision.operations().is_empty() && decision.warnings.is_empty());
}

#[test]
fn every_place_is_expanded_with_the_canonical_json() {
    let mut object = pod(Some("web"), None);
    object["spec"]["containers"][0]["securityContext"] = options(Some("sql"), None);
    object["spec"]["initContainers"] =
        json!([{"name": "a"}, {"name": "setup", "securityContext": options(Some("web"), None)}]);
    let world = World::new();
    let (patched, decision) = world.admit(&object);
    assert!(decision.is_allowed(), "{decision:?}");
    let json = |name: &str| crate::credspec::canonical_json(&world.specs[name]);
    let at = |path: &str| {
        patched.pointer(&format!("{path}/securityContext/windowsOptions/gmsaCredentialSpec"))
    };
    assert_eq!(at("/spec"), Some(&json!(json("web"))));
    assert_eq!(at("/spec/containers/0"), Some(&json!(json("sql"))));
    assert_eq!(at("/spec/initContainers/1"), Some(&json!(json("web"))));
    assert!(world.create(Step::Mutate, &patched).operations().is_empty(), "a second mutation");
    assert_eq!(decision.credential_specs, "web,sql");
    assert_eq!(decision.places, "pod \"front\", container \"iis\", init container \"setup\"");
}

#[test]
fn each_row_of_the_table_in_validation() {
    let json = crate::credspec::canonical_json(&contents("Web"));
    let large = format!("{{{}}}", " ".repeat(64 * 1024));
    for (name, contents, reason, code, words) in [
        (
            None,
            Some("{}"),
            Reason::ContentsWithoutName,
            422,
            "pod \"front\" has a GMSA cred spec set, but does not define the name of the corresponding resource",
        ),
        (Some("Web"), None, Reason::NameInvalid, 422, "write \"web\", which exists"),
        (Some("Nope"), None, Reason::NameInvalid, 422, "\"Nope\" is not a valid name"),
        (Some(""), None, Reason::NameInvalid, 422, "\"\" is not a valid name"),
        (Some("web"), Some(large.as_str()), Reason::ContentsTooLarge, 422, "over 64 KiB"),
        (
            Some("other"),
            Some("{}"),
            Reason::NotAuthorized,
            403,
            "service account \"sa\" is not authorized to `use` GMSA cred spec \"other\"",
        ),
        (Some("gone"), Some("{}"), Reason::NotFound, 404, "cred spec gone does not exist"),
        (
            Some("hollow"),
            Some("{}"),
            Reason::Empty,
            417,
            "cred spec hollow does not have a credspec key",
        ),
        (
            Some("web"),
            Some("{}"),
            Reason::Mismatch,
            422,
            "does not match the contents of GMSA resource \"web\"",
        ),
        (
            Some("web"),
            Some(""),
            Reason::Mismatch,
            422,
            "does not match the contents of GMSA resource \"web\"",
        ),
        (Some("web"), None, Reason::NotExpanded, 422, "was not expanded"),
    ] {
        let mut world = World::new();
        world.rights.extend(["gone", "hollow"]);
        world.specs.insert("hollow", json!({}));
        world.specs.insert("other", self::contents("Other"));
        let decision = world.create(Step::Validate, &pod(name, contents));
        assert_eq!(reasons(&decision), [reason], "{name:?}");
        assert_eq!(decision.denials()[0].reason.code(), code);
        assert!(only_message(&decision).contains(words), "{decision:?}");
    }
    let decision = World::new().create(Step::Validate, &pod(Some("web"), Some(&json)));
    assert!(decision.is_allowed(), "{decision:?}");
}

#[test]
fn a_denial_says_how_to_grant_the_right() {
    let mut world = World::new();
    world.rights.clear();
    let (_, decision) = world.admit(&pod(Some("web"), None));
    let message = only_message(&decision);
    let grant = Grant::of("web", "shop", "sa").unwrap();
    assert!(message.contains(&format!("`{}`, or ", grant.with_plugin())), "{message}");
    assert!(message.ends_with(&format!(": {}", grant.with_kubectl())), "{message}");
    // It has to be read in the events of a ReplicaSet.
    assert!(message.len() < 640, "{message}");
    let said = "pod \"front\": service account \"sa\" is not authorized to `use` GMSA cred spec \
                \"web\" in namespace \"shop\"";
    assert_eq!(decision.denials()[0].without_commands(), said);
    let brief = format!("{said}; an administrator grants it with `{}`", grant.with_plugin());
    assert_eq!(decision.denials()[0].in_brief(), brief);
    assert_eq!(
        decision.denials()[0].field,
        "spec.securityContext.windowsOptions.gmsaCredentialSpecName"
    );
}

#[test]
fn many_places_without_one_right_give_its_commands_once_and_last() {
    let mut world = World::new();
    world.rights.clear();
    let mut object = pod(Some("web"), None);
    object["spec"]["containers"][0]["securityContext"] = options(Some("web"), None);
    object["spec"]["initContainers"] =
        json!([{"name": "setup", "securityContext": options(Some("sql"), None)}]);
    let (_, decision) = world.admit(&object);
    assert_eq!(reasons(&decision), [Reason::NotAuthorized; 3]);
    let commands: Vec<bool> =
        decision.denials().iter().map(|one| one.message.contains("kubectl apply")).collect();
    assert_eq!(commands, [false, true, true], "{decision:?}");
}

#[test]
fn a_pod_with_a_generated_name_is_called_by_its_owner() {
    let mut world = World::new();
    world.rights.clear();
    let mut object = pod(Some("web"), None);
    let owner = |kind: &str, name: &str, controller: bool| json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": "u", "controller": controller});
    let message = |object: &Value| only_message(&world.create(Step::Validate, object)).to_owned();
    object["metadata"]["ownerReferences"] =
        json!([owner("Other", "one", false), owner("ReplicaSet", "front-5d9f", true)]);
    assert!(message(&object).starts_with("pod \"front\": "), "{}", message(&object));
    // Newer API servers make the name before they ask, older ones after.
    object["metadata"]["generateName"] = json!("front-5d9f-");
    for name in [json!("front-5d9f-x7k2p"), json!(null)] {
        object["metadata"]["name"] = name;
        let message = message(&object);
        assert!(message.starts_with("pod of ReplicaSet \"front-5d9f\": "), "{message}");
        assert!(!message.contains("x7k2p"), "{message}");
    }
    object["metadata"]["ownerReferences"] = json!(null);
    assert!(message(&object).starts_with("pod \"front-5d9f-\": "), "{}", message(&object));
}

#[test]
fn a_close_name_is_suggested_only_to_accounts_that_may_use_it() {
    let mut world = World::new();
    let with = world.create(Step::Mutate, &pod(Some("webb"), None));
    assert!(only_message(&with).contains("did you mean \"web\""), "{with:?}");
    // It may not use the missing name either: then the message names the grant too.
    let validated = world.create(Step::Validate, &pod(Some("webb"), None));
    assert_eq!(reasons(&validated), [Reason::NotAuthorized]);
    let message = only_message(&validated);
    assert!(message.contains("did you mean \"web\", which it may use?; an"), "{message}");
    assert!(message.contains("`kubectl gmsa grant webb --to shop/sa`"), "{message}");
    world.rights.clear();
    let without = world.create(Step::Mutate, &pod(Some("webb"), None));
    assert!(!only_message(&without).contains("\"web\""), "{without:?}");
}

#[test]
fn mutation_leaves_rights_and_preset_contents_to_validation() {
    let mut world = World::new();
    world.rights.clear();
    assert_eq!(world.create(Step::Mutate, &pod(Some("web"), None)).operations().len(), 1);
    let preset = world.create(Step::Mutate, &pod(Some("web"), Some("{}")));
    assert!(preset.is_allowed() && preset.operations().is_empty());
}

#[test]
fn a_mutation_that_denies_tells_all_in_the_order_of_places() {
    let mut world = World::new();
    world.rights.remove("sql");
    world.rights.insert("gone");
    let mut object = pod(Some("sql"), None);
    object["spec"]["containers"][0]["securityContext"] = options(Some("gone"), None);
    object["spec"]["initContainers"] =
        json!([{"name": "init", "securityContext": options(None, Some("{}"))}]);
    push(
        &mut object["spec"]["containers"],
        json!({"name": "fine", "securityContext": options(Some("web"), None)}),
    );
    let decision = world.create(Step::Mutate, &object);
    assert_eq!(
        reasons(&decision),
        [Reason::NotAuthorized, Reason::NotFound, Reason::ContentsWithoutName]
    );
}

#[test]
fn a_lagging_store_is_asked_again_before_it_denies() {
    let json = crate::credspec::canonical_json(&contents("Web"));
    for stale in [json!({}), contents("Old")] {
        let mut world = World::new();
        world.store.insert("web", stale);
        let object = pod(Some("web"), Some(&json));
        let decision = world.create(Step::Validate, &object);
        assert!(decision.is_allowed(), "{decision:?}");
    }
    // One round is enough where nothing is in doubt.
    let text = pod(Some("web"), Some(&json)).to_string();
    let object: Pod<'_> = serde_json::from_str(&text).unwrap();
    assert_eq!(World::new().judge(&request(Step::Validate, &object)).1, 1);
    assert_eq!(World::new().judge(&request(Step::Mutate, &object)).1, 1);
}

#[test]
fn what_cannot_be_found_out_is_denied() {
    let json = crate::credspec::canonical_json(&contents("Web"));
    for (timed_out, reason) in [(false, Reason::Undecided), (true, Reason::Timeout)] {
        let world = World { failing: true, timed_out, ..World::new() };
        let decision = world.create(Step::Validate, &pod(Some("web"), Some(&json)));
        assert_eq!(reasons(&decision), [reason]);
        assert!(only_message(&decision).contains("failed to reach the API server"));
        let absent = world.create(Step::Mutate, &pod(Some("gone"), None));
        assert_eq!(reasons(&absent), [reason]);
    }
    // A caller that leaves a question open gets a denial, not an admission.
    let text = pod(Some("web"), Some(&json)).to_string();
    let object: Pod<'_> = serde_json::from_str(&text).unwrap();
    for step in [Step::Mutate, Step::Validate] {
        let Plan::Judge(judgement) = plan(&request(step, &object)) else { panic!() };
        assert_eq!(reasons(&decide(&judgement, &Facts::new(1))), [Reason::Undecided]);
    }
}

#[test]
fn the_operation_is_checked_before_the_kind() {
    let text = pod(Some("web"), None).to_string();
    let object: Pod<'_> = serde_json::from_str(&text).unwrap();
    let base = request(Step::Validate, &object);
    let world = World::new();
    for operation in [Operation::Delete, Operation::Connect] {
        let request = Request { operation: Some(operation), kind: "Node", object: None, ..base };
        assert!(world.judge(&request).0.is_allowed());
    }
    for (request, reason, words) in [
        (
            Request { kind: "Deployment", group: "apps", ..base },
            Reason::WrongKind,
            "expected a Pod object, got a Deployment",
        ),
        (Request { group: "example.com", ..base }, Reason::WrongKind, "expected a Pod object"),
        (Request { operation: None, ..base }, Reason::MalformedRequest, "expected operation"),
        (
            Request { object: None, ..base },
            Reason::MalformedRequest,
            "expected a Pod object, got none",
        ),
        (Request { namespace: "", ..base }, Reason::MalformedRequest, "no valid namespace"),
        (Request { namespace: "a/../b", ..base }, Reason::MalformedRequest, "no valid namespace"),
        (
            Request { operation: Some(Operation::Update), ..base },
            Reason::MalformedRequest,
            "old object",
        ),
    ] {
        let (decision, _) = world.judge(&request);
        assert_eq!(reasons(&decision), [reason]);
        assert!(only_message(&decision).contains(words), "{decision:?}");
    }
}

#[test]
fn updates_keep_the_gmsa_fields() {
    let world = World::new();
    let texts = [pod(Some("web"), None), pod(Some("sql"), None), pod(None, None)]
        .map(|object| object.to_string());
    let pods = texts.each_ref().map(|text| serde_json::from_str::<Pod<'_>>(text).unwrap());
    for (old, old_pod) in pods.iter().enumerate() {
        for (new, new_pod) in pods.iter().enumerate() {
            let request = Request {
                operation: Some(Operation::Update),
                old_object: Some(old_pod),
                ..request(Step::Validate, new_pod)
            };
            let (decision, _) = world.judge(&request);
            let expected = if old == new { vec![] } else { vec![Reason::Immutable] };
            assert_eq!(reasons(&decision), expected, "{old} to {new}");
        }
    }
}

#[test]
fn only_new_ephemeral_containers_are_judged() {
    let ephemeral = |name: &str, spec: &str| json!({"name": name, "securityContext": options(Some(spec), None)});
    let mut old = pod(Some("other"), None);
    old["spec"]["ephemeralContainers"] = json!([ephemeral("first", "other")]);
    let mut new = old.clone();
    push(&mut new["spec"]["ephemeralContainers"], ephemeral("second", "web"));
    let mut swapped = old.clone();
    swapped["spec"]["ephemeralContainers"] = json!([ephemeral("first", "gone")]);
    let mut world = World::new();
    let update = |world: &World, step, new: &Value| {
        let (old, new) = (old.to_string(), new.to_string());
        let (old, new): (Pod<'_>, Pod<'_>) =
            (serde_json::from_str(&old).unwrap(), serde_json::from_str(&new).unwrap());
        let request = Request {
            operation: Some(Operation::Update),
            subresource: "ephemeralcontainers",
            old_object: Some(&old),
            ..request(step, &new)
        };
        world.judge(&request).0
    };
    let mutation = update(&world, Step::Mutate, &new);
    let json = patch::to_json(mutation.operations());
    assert!(json.contains("\"/spec/ephemeralContainers/1/"), "{json}");
    assert_eq!(mutation.operations().len(), 1);
    world.rights.remove("web");
    new["spec"]["ephemeralContainers"][1]["securityContext"] =
        options(Some("web"), Some(&crate::credspec::canonical_json(&contents("Web"))));
    assert_eq!(reasons(&update(&world, Step::Validate, &new)), [Reason::NotAuthorized]);
    assert_eq!(reasons(&update(&world, Step::Validate, &swapped)), [Reason::NotAuthorized]);
}

#[test]
fn the_old_ephemeral_containers_kind_may_not_carry_a_gmsa() {
    let world = World::new();
    let with = json!({"ephemeralContainers": [{"name": "debug", "securityContext": options(Some("web"), None)}]});
    let without = json!({"ephemeralContainers": [{"name": "debug"}]});
    for (old, new, expected) in [
        (&without, &without, vec![]),
        (&without, &with, vec![Reason::OldEphemeralContainers]),
        (&with, &with, vec![]),
    ] {
        let (old, new) = (old.to_string(), new.to_string());
        let (old, new): (Pod<'_>, Pod<'_>) =
            (serde_json::from_str(&old).unwrap(), serde_json::from_str(&new).unwrap());
        let request = Request {
            operation: Some(Operation::Update),
            kind: "EphemeralContainers",
            subresource: "ephemeralcontainers",
            old_object: Some(&old),
            ..request(Step::Validate, &new)
        };
        assert_eq!(reasons(&world.judge(&request).0), expected);
    }
}

#[test]
fn a_random_hostname_is_set_once_and_only_on_creation() {
    let world = World::new();
    let hostname = |object: &Value, operation, step| {
        let text = object.to_string();
        let pod: Pod<'_> = serde_json::from_str(&text).unwrap();
        let request = Request {
            operation: Some(operation),
            random_hostname: Some("gmsa-abcdefghij"),
            ..request(step, &pod)
        };
        patch::to_json(world.judge(&request).0.operations()).contains("\"/spec/hostname\"")
    };
    let mut object = pod(Some("web"), None);
    assert!(hostname(&object, Operation::Create, Step::Mutate));
    assert!(!hostname(&object, Operation::Create, Step::Validate));
    assert!(!hostname(&pod(None, None), Operation::Create, Step::Mutate));
    object["spec"]["hostname"] = json!("mine");
    assert!(!hostname(&object, Operation::Create, Step::Mutate));
}

#[test]
fn warnings_come_with_the_final_answer() {
    let mut object = pod(Some("web"), None);
    object["spec"]["nodeSelector"] = json!({});
    object["spec"]["hostname"] = json!("fixed");
    object["metadata"] = json!({"generateName": "front-"});
    push(
        &mut object["spec"]["containers"],
        json!({"name": "two", "securityContext": {"windowsOptions": {"hostProcess": true}}}),
    );
    let mut world = World::new();
    world.specs.get_mut("web").unwrap()["DomainJoinConfig"]["Sid"] = json!("S-1-5-32");
    assert!(world.create(Step::Mutate, &object).warnings.is_empty(), "said twice otherwise");
    let (_, decision) = world.admit(&object);
    assert!(decision.is_allowed(), "{decision:?}");
    let codes: Vec<Code> = decision.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(
        codes,
        [
            Code::GmsaWithHostProcess,
            Code::NotBoundToWindows,
            Code::FixedHostname,
            Code::GmsaInSeveralContainers,
            Code::CredspecFindings
        ]
    );
    assert!(decision.warnings.iter().all(|warning| warning.message.len() < 200));
}

#[test]
fn the_number_of_places_is_limited() {
    let with = |places: usize| {
        let mut object = pod(None, None);
        object["spec"]["containers"] = (0..places)
            .map(|number| {
                json!({"name": format!("c{number}"), "securityContext": options(Some("web"), None)})
            })
            .collect();
        World::new().create(Step::Mutate, &object)
    };
    let most = super::denial::MAX_PLACES;
    assert_eq!(with(most).operations().len(), most);
    let decision = with(most + 1);
    assert_eq!(reasons(&decision), [Reason::TooManyPlaces]);
    assert!(decision.denials()[0].message.starts_with("501 fields of the pod use a GMSA"));
}

#[test]
fn the_page_of_denials_is_generated() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/denials.md");
    let file = std::fs::read_to_string(path).unwrap();
    assert!(file == super::denials_page(), "run `cargo xtask generate`");
    let ids: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.id()).collect();
    assert_eq!(ids.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        let is_internal = reason.status_reason() == "InternalError";
        assert_eq!(is_internal, reason.code() == 500, "{reason:?}");
    }
}

proptest::proptest! {
    #[test]
    fn a_json_string_is_read_back_as_it_was(text in "(\\PC|[\"\\\\a-z \u{0}-\u{1f}]){0,40}") {
        let json = crate::json::escaped(&text);
        proptest::prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
