//! What the doctor reads from a node's administrator, and how it explains numbers. Windows itself
//! is not run: the outputs are made by hand in the form that the script has.

use std::path::Path;

use crate::support::{ROOT, plugin, ran, run};
use serde_json::{Value, json};

const EXAMPLE: &str = "docs/node-checks.json";

#[test]
fn the_script_is_printed_without_a_cluster() {
    let ran = run(&["doctor", "--print-node-checks"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("<#\n.SYNOPSIS"), "{}", ran.stdout);
    for needed in ["Test-ADServiceAccount", "COMClasses", "Microsoft-AKSGMSAPlugin/Admin"] {
        assert!(ran.stdout.contains(needed), "{needed}");
    }
    let refused = run(&["doctor", "web", "--print-node-checks"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
}

#[test]
fn the_output_of_nodes_is_explained_without_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(Path::new(ROOT).join(EXAMPLE)).unwrap();
    // As the redirection of Windows PowerShell writes it.
    let second = text.replace("WEBHOST1", "WEBHOST2");
    let utf16: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(second.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let file = folder.path().join("second.json");
    std::fs::write(&file, utf16).unwrap();
    let file = file.to_str().unwrap();
    let args = ["doctor", "--node-output", EXAMPLE, "--node-output", file, "-o", "json"];
    let both = run(&args);
    assert_eq!((both.code, both.stderr.as_str()), (1, ""));
    let report: Value = serde_json::from_str(&both.stdout).unwrap();
    crate::schema::check("doctor-report", &report);
    assert!(report.get("kubernetes").is_none());
    let causes = report["verdict"]["causes"].as_array().unwrap();
    let named: Vec<_> = causes
        .iter()
        .map(|cause| (cause["check"].as_str().unwrap(), cause["object"].as_str().unwrap()))
        .collect();
    assert_eq!(
        named,
        [("node-plugin-events", "Node WEBHOST1"), ("node-plugin-events", "Node WEBHOST2")]
    );

    let table = ran(plugin(&["doctor", "--node-output", "-"]).write_stdin(text));
    assert_eq!(table.code, 1, "{}", table.stderr);
    for words in ["AKS:1007 (Key Vault denied)", "hence node-ccg-events", "HCS:11507"] {
        assert!(table.stdout.contains(words), "{words}: {}", table.stdout);
    }
}

#[test]
fn the_code_of_every_event_is_shown_and_decides_what_to_do() {
    let text = std::fs::read_to_string(Path::new(ROOT).join(EXAMPLE)).unwrap();
    let example: Value = serde_json::from_str(&text).unwrap();
    let aws = "{859E1386-BDB4-49E8-85C7-3070B13920E1}";
    for (log, id, code, class, words) in [
        (
            "ccg",
            4,
            "0x8000401A",
            "",
            &[
                "(problem, certain): CCG:4",
                "CO_E_RUNAS_LOGON_FAILURE",
                "-> The plug-in's COM class runs as",
            ][..],
        ),
        (
            "ccg",
            8,
            "0xC000006D",
            "",
            &[
                "CCG:8",
                "STATUS_LOGON_FAILURE",
                "-> The user or password that the plug-in fetched is wrong",
            ],
        ),
        // The same number as HRESULT.
        (
            "ccg",
            6,
            "0x8007052E",
            "",
            &["CCG:6", "1326 (0x52E)", "-> The user or password that the plug-in fetched is wrong"],
        ),
        // None of the catalogue: shown, and not taken for certain.
        ("compute", 11507, "0xC0DE0007", "", &["(problem, likely): HCS:11507", "0xC0DE0007"]),
        ("ccg", 6, "", aws, &["CCG:6", "C:\\ProgramData\\Amazon\\gmsa-plugin\\"]),
        ("netlogon", 5719, "0xC000005E", "", &["NETLOGON:5719", "STATUS_NO_LOGON_SERVERS"]),
        ("netlogon", 5783, "", "", &["NETLOGON:5783 (session not responsive)"]),
        ("netlogon", 3210, "0xC0000022", "", &["NETLOGON:3210", "STATUS_ACCESS_DENIED"]),
        ("netlogon", 5805, "", "", &["NETLOGON:5805 (session setup failed)"]),
    ] {
        let mut node = example.clone();
        for (name, section) in node["events"].as_object_mut().unwrap() {
            let codes: Vec<&str> = [code].into_iter().filter(|code| !code.is_empty()).collect();
            let group = json!({"id": id, "level": 2, "count": 3, "first": "2026-11-25T08:00:01Z",
                "last": "2026-11-25T09:40:01Z", "codes": codes});
            let groups = if name == log { vec![group] } else { Vec::new() };
            section["value"] = json!({"absent": false, "groups": groups});
        }
        if !class.is_empty() {
            node["plugins"]["value"]["guid"] = json!(class);
        }
        let mut command = plugin(&["doctor", "--node-output", "-"]);
        let ran = ran(command.write_stdin(node.to_string()));
        for words in words {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
        }
        assert_eq!(ran.code, 1, "{id}: {}", ran.stdout);
    }
}

#[test]
fn the_page_of_limits_names_the_check_of_each() {
    let page =
        |name: &str| std::fs::read_to_string(Path::new(ROOT).join("docs").join(name)).unwrap();
    let (limits, checks, findings) = (page("limits.md"), page("checks.md"), page("findings.md"));
    // What rests on the page stands on it.
    let resting: Vec<&str> = checks
        .split("\n## ")
        .filter(|entry| entry.contains("**Source:** [docs/limits.md]"))
        .filter_map(|entry| entry.lines().next())
        .collect();
    assert!(resting.contains(&"node-compartment"), "{resting:?}");
    for id in resting {
        assert!(limits.contains(&format!("[{id}](checks.md#{id})")), "{id} is not on the page");
    }
    // Each row of the table of nodes is found by an existing check, or by a finding of `review`.
    let nodes = limits.split("\n## ").find(|part| part.starts_with("Windows nodes")).unwrap();
    for row in nodes.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let by = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let links = |page: &str| -> Vec<&str> {
            let after = by.split(page).skip(1);
            after.filter_map(|link| link.split(')').next()).collect()
        };
        let (of_checks, of_findings) = (links("checks.md#"), links("findings.md#"));
        assert!(of_checks.len() + of_findings.len() > 0, "no check and no finding is named: {row}");
        for id in of_checks {
            assert_eq!(run(&["doctor", "explain", id]).code, 0, "{row}");
        }
        for id in of_findings {
            assert!(findings.contains(&format!("\n## {id}\n")), "{row}");
        }
    }

    // The one that only a node's administrator sees.
    let text = std::fs::read_to_string(Path::new(ROOT).join(EXAMPLE)).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    document["system"]["value"]["build"] = 17763.into();
    for (value, state) in [(Value::Null, "warning"), (0.into(), "warning"), (1.into(), "ok")] {
        document["compartment"] = serde_json::json!({"value": value, "error": null});
        let args = ["doctor", "--node-output", "-", "-o", "json"];
        let ran = ran(plugin(&args).write_stdin(document.to_string()));
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let outcomes = report["outcomes"].as_array().unwrap();
        let found = outcomes.iter().find(|one| one["check"] == "node-compartment").unwrap();
        assert_eq!(found["state"], state, "{value}");
    }
}

#[test]
fn what_is_no_output_of_a_node_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.json");
    for (bytes, words) in [
        (&b"Access denied"[..], "it is not JSON"),
        (b"\xFF\xFEx", "it ends within a character of UTF-16: it was cut off"),
        (b"{}", "its kind is not NodeChecks"),
        (b"{\"kind\":\"NodeChecks\",\"version\":9}", "use the script that this version prints"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let bad = run(&["doctor", "--node-output", file.to_str().unwrap()]);
        assert_eq!((bad.code, bad.stdout.as_str()), (2, ""), "{}", bad.stderr);
        assert!(bad.stderr.contains(words) && bad.stderr.contains("bad.json"), "{}", bad.stderr);
    }
    let missing = run(&["doctor", "--node-output", "/nonexistent/x.json"]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    let twice = run(&["doctor", "--node-output", "-", "--node-output", "-"]);
    assert_eq!(twice.code, 2, "{}", twice.stderr);
}

#[test]
fn numbers_are_explained_as_checks_are() {
    for (word, words) in [
        ("1722", "RPC_S_SERVER_UNAVAILABLE"),
        ("0x6BA", "1722 (0x6BA)"),
        ("-805175273", "0xC0020017"),
        ("CCG:8", "account may not read the gMSA"),
        ("aks:1007", "docs/codes.md#aks"),
        ("HCS:11507", "Hyper-V-Compute"),
        ("NETLOGON:5720", "0xC000018A"),
        ("error_access_denied", "Access denied"),
        ("1326", "The user name or password is wrong"),
        ("0x52E", "ERROR_LOGON_FAILURE"),
        ("0x8007052E", "0x8007052E is an HRESULT that carries the Win32 error 1326"),
        ("0xC000006D", "In an event of a node: The user or password that the plug-in fetched"),
        ("0x80070005", "ERROR_ACCESS_DENIED"),
        ("0x800706BA", "RPC_S_SERVER_UNAVAILABLE"),
        ("2147942405", "ERROR_ACCESS_DENIED"),
        ("3489660941", "the contents of the credential spec are empty"),
        ("#3489660941", "STATUS_INVALID_PARAMETER"),
        ("3489661095", "an HRESULT that carries the NTSTATUS 0xC00000A7"),
        ("0xC000018B", "STATUS_NO_TRUST_SAM_ACCOUNT"),
        ("0xC0370106", "HCS_E_UNEXPECTED_EXIT"),
        ("0xC0370109", "HCS_E_CONNECTION_TIMEOUT"),
        ("5719", "no domain controller found"),
        ("5783", "session not responsive"),
        ("3210", "authentication failed"),
        ("5805", "session setup failed"),
        ("0x8000401A", "CO_E_RUNAS_LOGON_FAILURE"),
        ("0x80040154", "REGDB_E_CLASSNOTREG"),
        ("0x80090342", "docs/rc4.md"),
        ("0xC00002FD", "STATUS_KDC_UNKNOWN_ETYPE"),
        ("KDC:201", "RC4"),
        ("-2147023570", "ERROR_LOGON_FAILURE"),
        ("0xC00000A7", "not in the catalogue"),
    ] {
        let told = run(&["doctor", "explain", word]);
        assert_eq!(told.code, 0, "{word}: {}", told.stderr);
        assert!(told.stdout.contains(words), "{word}: {}", told.stdout);
        assert!(told.stdout.contains("What to do:"), "{}", told.stdout);
    }
    let unknown = run(&["doctor", "explain", "CCG:77"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("it has 1, 2, 3, 4, 6, 7, 8"), "{}", unknown.stderr);
    let nothing = run(&["doctor", "explain", "nothing"]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.stderr.contains("docs/codes.md"), "{}", nothing.stderr);
    let list = run(&["doctor", "explain"]);
    assert!(list.stdout.contains("CCG:8") && list.stdout.contains("node-ccg-events"));
}
