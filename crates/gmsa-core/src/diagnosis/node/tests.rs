use serde_json::{Value, json};

use super::*;
use crate::diagnosis::{Confidence, State, Verdict};
use crate::windows::codes;
use crate::windows::node::read;

fn example() -> Value {
    serde_json::from_str(include_str!("../../../../../docs/node-checks.json")).unwrap()
}

/// A healthy member of the domain.
fn healthy() -> Value {
    let mut document = example();
    document["domain"] =
        value(json!({"joined": true, "name": "contoso.com", "secureChannel": true}));
    document["accounts"] = value(json!({"name": "WebApp1", "usable": true}));
    for log in ["aks", "rancher"] {
        document["events"][log] = value(json!({"absent": true}));
    }
    for log in ["ccg", "compute", "netlogon"] {
        document["events"][log] = value(json!({"absent": false, "groups": []}));
    }
    document
}

#[expect(clippy::needless_pass_by_value, reason = "what it is given is made for it")]
fn value(value: Value) -> Value {
    json!({"value": value, "error": null})
}

fn outcomes(document: &Value) -> Vec<Outcome> {
    judge(&read(document.to_string().as_bytes()).unwrap(), &[])
}

/// The root causes, with their states.
fn causes(document: &Value) -> Vec<(&'static str, State)> {
    let outcomes = outcomes(document);
    let verdict = Verdict::of(&outcomes);
    verdict.causes.iter().map(|cause| (cause.outcome.check.id, cause.outcome.state)).collect()
}

#[test]
fn a_healthy_node_is_silent() {
    assert_eq!(causes(&healthy()), []);
    let outcomes = outcomes(&healthy());
    assert!(outcomes.iter().all(|one| one.state != State::Unknown), "{outcomes:#?}");
    assert!(outcomes.iter().all(|one| one.object.as_deref() == Some("Node WEBHOST1")));
}

#[test]
fn each_fault_is_found_alone() {
    let event = |log: &str, group: Value| {
        let mut document = healthy();
        document["events"][log] = value(json!({"absent": false, "groups": group}));
        document
    };
    let section = |name: &str, with: Value| {
        let mut document = healthy();
        document[name] = value(with);
        document
    };
    let port = |port: u16, open: bool| json!({"host": "dc1", "port": port, "open": open});
    let mut unjoined = section("domain", json!({"joined": false}));
    unjoined["plugins"] = value(Value::Null);
    for (document, check, state) in [
        (section("system", json!({"build": 14393})), "node-system", State::Problem),
        (section("system", json!({"build": 18363})), "node-system", State::Warning),
        (
            section("dns", json!({"domain": "contoso.com", "controllers": null})),
            "node-dns",
            State::Problem,
        ),
        (section("ports", json!([port(88, false), port(389, true)])), "node-ports", State::Problem),
        (section("ports", json!([port(9389, false)])), "node-ports", State::Warning),
        (
            section("clock", json!({"offsets": [{"host": "dc1", "seconds": -301.5}]})),
            "node-clock",
            State::Problem,
        ),
        (
            section("domain", json!({"joined": true, "secureChannel": false})),
            "node-domain",
            State::Problem,
        ),
        (unjoined, "node-domain", State::Problem),
        (
            section("accounts", json!([{"name": "WebApp1$", "usable": false}])),
            "node-account",
            State::Problem,
        ),
        (
            section("plugins", json!({"guid": "{1}", "server": "C:\\x.dll", "present": false})),
            "node-plugin",
            State::Problem,
        ),
        (event("ccg", json!({"id": 8, "level": 2})), "node-ccg-events", State::Problem),
        (event("ccg", json!({"id": 99, "level": 2})), "node-ccg-events", State::Problem),
        (event("aks", json!({"id": 1007, "level": 2})), "node-plugin-events", State::Problem),
        (event("rancher", json!({"id": 301, "level": 2})), "node-plugin-events", State::Problem),
        (event("rancher", json!({"id": 201, "level": 3})), "node-plugin-events", State::Warning),
        (
            event("netlogon", json!({"id": 5720, "level": 2, "codes": "0xC000018A"})),
            "node-netlogon-events",
            State::Problem,
        ),
        (event("compute", json!({"id": 11507, "level": 2})), "node-compute-events", State::Problem),
        (
            event("compute", json!({"id": 1, "level": 2, "codes": ["0xD0020017"]})),
            "node-compute-events",
            State::Problem,
        ),
    ] {
        assert_eq!(causes(&document), [(check, state)], "{document}");
    }
    // Events that are not about credentials, or report success, are ignored.
    for document in [
        event("compute", json!({"id": 1, "level": 2, "codes": ["0x80070002"]})),
        event("ccg", json!([{"id": 1, "level": 4}, {"id": 2, "level": 4}])),
        event("aks", json!([{"id": 1011, "level": 4}])),
    ] {
        assert_eq!(causes(&document), [], "{document}");
    }
}

#[test]
fn the_compartment_matters_on_server_2019_alone() {
    let mut document = healthy();
    document["system"] = value(json!({"build": 17763, "revision": 5000}));
    assert_eq!(causes(&document), [("node-compartment", State::Warning)]);
    document["compartment"] = value(json!(1));
    assert_eq!(causes(&document), []);
}

#[test]
fn the_example_has_one_cause_and_explains_every_code() {
    let outcomes = outcomes(&example());
    let verdict = Verdict::of(&outcomes);
    let [cause] = &verdict.causes[..] else { panic!("{:#?}", verdict.causes) };
    assert_eq!(cause.outcome.check.id, "node-plugin-events");
    assert_eq!(cause.outcome.next_step(), "Let the managed identity get secrets.");
    let following: Vec<_> = cause.consequences.iter().map(|one| one.check.id).collect();
    assert_eq!(following, ["node-ccg-events", "node-compute-events"]);
    let evidence = cause.consequences[1].evidence.join("\n");
    assert!(evidence.contains("0xC0020017 RPC_NT_SERVER_UNAVAILABLE"), "{evidence}");
}

#[test]
fn a_failure_before_the_last_success_may_be_over() {
    let mut document = healthy();
    let groups = |failed: &str| {
        value(json!({"groups": [
            {"id": 8, "level": 2, "last": failed},
            {"id": 2, "level": 4, "last": "2026-11-25T10:00:00Z"}]}))
    };
    document["events"]["ccg"] = groups("2026-11-25T09:00:00Z");
    assert_eq!(causes(&document), [("node-ccg-events", State::Warning)]);
    document["events"]["ccg"] = groups("2026-11-25T11:00:00Z");
    assert_eq!(causes(&document), [("node-ccg-events", State::Problem)]);
}

#[test]
fn a_plug_in_that_a_credential_spec_names_must_be_registered() {
    let output = read(healthy().to_string().as_bytes()).unwrap();
    for (wanted, state) in [
        ("{ccc2a336-d7f3-4818-a213-272b7924213e}", State::Ok),
        ("CCC2A336-D7F3-4818-A213-272B7924213E", State::Ok),
        ("{859E1386-BDB4-49E8-85C7-3070B13920E1}", State::Problem),
    ] {
        let outcomes = judge(&output, &[wanted.to_owned()]);
        let plugin = outcomes.iter().find(|one| one.check.id == "node-plugin").unwrap();
        assert_eq!(plugin.state, state, "{wanted}");
    }
}

#[test]
fn a_controller_that_answers_makes_one_that_does_not_a_warning() {
    let mut document = healthy();
    let port = |host: &str, open: bool| json!({"host": host, "port": 88, "open": open});
    document["ports"] = value(json!([port("dc1", false), port("dc2", true)]));
    assert_eq!(causes(&document), [("node-ports", State::Warning)]);
}

#[test]
fn every_code_of_an_event_log_is_explained() {
    use codes::Source;

    for entry in codes::all().filter(|entry| entry.source != Source::Api) {
        let log = match entry.source {
            Source::Api | Source::Ccg => "ccg",
            Source::Aks => "aks",
            Source::Rancher => "rancher",
            Source::HyperVCompute => "compute",
            Source::Netlogon => "netlogon",
            Source::Kdc => "kdc",
        };
        let mut document = healthy();
        document["plugins"] = value(Value::Null);
        document["events"][log] = value(json!({"groups": {"id": entry.number, "level": 2}}));
        let outcomes = outcomes(&document);
        let told = outcomes.iter().find(|one| one.state >= State::Warning);
        if entry.is_information() {
            assert_eq!(told, None, "{entry:?}");
        } else {
            let told = told.unwrap_or_else(|| panic!("{entry:?}"));
            assert!(told.evidence[0].contains(entry.name), "{told:?}");
            assert_eq!(told.next_step(), entry.remedy);
        }
    }
    for entry in codes::all().filter(|entry| entry.source == Source::Api && entry.number > 0) {
        let mut document = healthy();
        let codes = format!("0x{:08X}", entry.number);
        document["events"]["compute"] =
            value(json!({"groups": {"id": 3, "level": 2, "codes": codes}}));
        let outcomes = outcomes(&document);
        let reported = outcomes.iter().find(|one| one.state == State::Problem);
        if entry.topic == codes::Topic::General {
            assert_eq!(reported, None, "{entry:?}");
            continue;
        }
        let reported = reported.unwrap_or_else(|| panic!("{entry:?}"));
        assert!(reported.evidence[1].contains(entry.meaning), "{reported:?}");
        assert_eq!(reported.confidence, Confidence::Likely);
        assert_eq!(reported.next_step(), entry.on_node.unwrap_or(entry.remedy));
    }
}

/// Events of public reports, with the codes that stood in them.
#[test]
fn a_code_in_an_event_names_the_fault_and_an_unknown_one_is_shown() {
    use Confidence::{Certain, Likely, Possible};

    let secret = "the plug-in fetched is wrong: correct the secret (`domain\\user:password`";
    for (log, id, codes, confidence, next, line) in [
        // microsoft/Windows-Containers 293
        (
            "ccg",
            4,
            json!(["0x8000401A"]),
            Certain,
            "commonly the interactive user: give the application in `dcomcnfg` a service account",
            "with 0x8000401A CO_E_RUNAS_LOGON_FAILURE",
        ),
        // Azure/AKS 3849
        ("ccg", 8, json!("0xC000006D"), Certain, secret, "0xC000006D STATUS_LOGON_FAILURE"),
        (
            "ccg",
            6,
            json!("0x8007052E"),
            Certain,
            secret,
            "with 0x8007052E, which is 1326 (0x52E) ERROR_LOGON_FAILURE",
        ),
        // microsoft/Windows-Containers 544
        (
            "compute",
            11507,
            json!("0xC00000A7"),
            Likely,
            "Check the credential spec",
            "with 0xC00000A7: not in the catalogue; the NTSTATUS",
        ),
        // MicrosoftDocs/Virtualization-Documentation 523 and 618
        (
            "netlogon",
            5719,
            json!("0xC000005E"),
            Certain,
            "the node resolves the domain",
            "STATUS_NO_LOGON_SERVERS",
        ),
        ("netlogon", 5783, json!([]), Certain, "the controller that the event names", "5783"),
        (
            "netlogon",
            3210,
            json!("0xC0000022"),
            Certain,
            "Test-ComputerSecureChannel -Repair",
            "0xC0000022 STATUS_ACCESS_DENIED",
        ),
        ("netlogon", 5805, json!([]), Certain, "no two machines use its name", "5805"),
        ("ccg", 99, json!("0x12345"), Possible, "Read the text of the event", "0x00012345"),
    ] {
        let mut document = healthy();
        document["events"][log] = value(json!({"groups": {"id": id, "level": 2, "codes": codes}}));
        let outcomes = outcomes(&document);
        let verdict = Verdict::of(&outcomes);
        let [cause] = &verdict.causes[..] else { panic!("{:#?}", verdict.causes) };
        assert_eq!(cause.confidence, confidence, "{log} {id}");
        assert!(cause.outcome.next_step().contains(next), "{:?}", cause.outcome);
        assert!(cause.outcome.evidence.join("\n").contains(line), "{:?}", cause.outcome);
    }
}

#[test]
fn a_plug_in_without_credentials_says_why_in_its_own_place() {
    for (guid, place) in [
        ("{859E1386-BDB4-49E8-85C7-3070B13920E1}", "C:\\ProgramData\\Amazon\\gmsa-plugin\\"),
        ("ccc2a336-d7f3-4818-a213-272b7924213e", "Microsoft-AKSGMSAPlugin/Admin"),
        ("{e4781092-f116-4b79-b55e-28eb6a224e26}", "the Application event log"),
        ("{11111111-2222-3333-4444-555555555555}", "Read the event log of the plug-in on the node"),
    ] {
        let mut document = healthy();
        document["plugins"] = value(json!([{"guid": guid}]));
        document["events"]["ccg"] = value(json!({"groups": [{"id": 6, "level": 2}]}));
        let outcomes = outcomes(&document);
        let ccg = outcomes.iter().find(|one| one.check.id == "node-ccg-events").unwrap();
        assert!(ccg.next_step().contains(place), "{guid}: {ccg:?}");
    }
}

#[test]
fn kdc_events_are_read_on_domain_controllers_alone() {
    let state = |document: &Value| {
        let outcomes = outcomes(document);
        let one = outcomes.iter().find(|one| one.check.id == "node-kdc-events").unwrap();
        (one.state, one.message.clone())
    };
    let mut document = healthy();
    document["events"]["kdc"] = value(json!({"absent": true, "groups": []}));
    let (skipped, words) = state(&document);
    assert_eq!(skipped, State::Skipped);
    assert!(words.contains("not a domain controller"), "{words}");
    for (id, level, expected) in
        [(201, 3, State::Warning), (203, 2, State::Problem), (205, 3, State::Warning)]
    {
        document["events"]["kdc"] = value(json!({"groups": [{"id": id, "level": level}]}));
        assert_eq!(state(&document).0, expected, "{id}");
    }
    document["events"]["kdc"] = value(json!({"absent": false, "groups": []}));
    assert_eq!(state(&document).0, State::Ok);
    document["events"].as_object_mut().unwrap().remove("kdc");
    assert_eq!(state(&document).0, State::Skipped);
}

#[test]
fn what_works_all_the_same_makes_a_problem_a_suspicion() {
    let mut base = healthy();
    base["domain"] = value(json!({"joined": true, "name": "contoso.com", "secureChannel": true}));
    let with = |section: &str, content: Value, ccg: &[u32]| {
        let mut document = base.clone();
        document[section] = value(content);
        let groups: Vec<Value> = ccg
            .iter()
            .map(|id| json!({"id": id, "level": 4, "last": "2026-11-25T09:00:00Z"}))
            .collect();
        document["events"]["ccg"] = value(json!({"absent": false, "groups": groups}));
        document
    };
    let closed = |host: &str| json!([{"host": host, "port": 88, "open": false}]);
    let none = |domain: &str| json!({"domain": domain, "controllers": []});
    let gone = json!({"guid": "{1}", "server": "C:\\x.dll", "present": false});
    let unjoined = |ccg: &[u32]| {
        let mut document = with("domain", json!({"joined": false}), ccg);
        document["plugins"] = value(Value::Null);
        document
    };
    for (document, check, state) in [
        // The records are missing, whatever netlogon still has in its cache.
        (with("dns", none("contoso.com"), &[]), "node-dns", State::Problem),
        (with("ports", closed("dc1.contoso.com"), &[]), "node-ports", State::Warning),
        (with("ports", closed("dc1.fabrikam.com"), &[]), "node-ports", State::Problem),
        (with("plugins", gone.clone(), &[1]), "node-plugin", State::Warning),
        (with("plugins", gone, &[]), "node-plugin", State::Problem),
        (unjoined(&[2]), "node-domain", State::Warning),
        (unjoined(&[]), "node-domain", State::Problem),
    ] {
        assert_eq!(causes(&document), [(check, state)], "{document}");
    }
}
