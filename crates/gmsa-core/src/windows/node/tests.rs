use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// What the page of the documentation shows.
const EXAMPLE: &str = include_str!("../../../../../docs/node-checks.json");

fn document() -> Value {
    serde_json::from_str(EXAMPLE).unwrap()
}

fn of(document: &Value) -> NodeOutput {
    read(document.to_string().as_bytes()).unwrap()
}

#[test]
fn a_document_is_read_in_each_encoding_that_windows_writes() {
    let plain = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (plain.computer.as_str(), plain.events.netlogon.clone()),
        ("WEBHOST1", Ok(Some(vec![])))
    );
    let with_mark = [b"\xEF\xBB\xBF", EXAMPLE.as_bytes()].concat();
    let units =
        |order: fn(u16) -> [u8; 2]| -> Vec<u8> { EXAMPLE.encode_utf16().flat_map(order).collect() };
    let (little, big) = (units(u16::to_le_bytes), units(u16::to_be_bytes));
    let marked = [
        with_mark,
        [&[0xFF, 0xFE][..], &little].concat(),
        [&[0xFE, 0xFF][..], &big].concat(),
        little,
        big,
        // A console that breaks lines after 80 characters, even within a word.
        EXAMPLE.as_bytes().chunks(80).collect::<Vec<_>>().join(&b"\r\n"[..]),
    ];
    for bytes in marked {
        assert_eq!(read(&bytes).unwrap(), plain);
    }
}

#[test]
fn lists_are_read_in_each_form_that_powershell_makes_of_them() {
    let mut document = document();
    let plugin = json!({"guid": "{1}", "server": null, "present": null});
    for (value, count) in [
        (Value::Null, 0),
        (json!([]), 0),
        (plugin.clone(), 1),
        (json!([plugin, plugin]), 2),
        (json!({"value": [plugin], "Count": 1}), 1),
    ] {
        document["plugins"] = json!({"value": value, "error": null});
        assert_eq!(of(&document).plugins.unwrap().len(), count, "{value}");
    }
}

/// What Windows PowerShell 5.1 wrote for the script of earlier versions: a command that outputs nothing
/// is `{}` (PowerShell 9231), some lists are objects, and a list of one element is that element.
#[test]
fn a_node_without_anything_is_read_as_5_1_writes_it() {
    const SECTIONS: [&str; 5] = ["accounts", "plugins", "dns", "ports", "compartment"];
    const LOGS: [&str; 6] = ["ccg", "aks", "rancher", "compute", "netlogon", "kdc"];
    for nothing in [json!({}), Value::Null, json!([]), json!({"value": [], "Count": 0})] {
        let mut document = document();
        for section in SECTIONS {
            // Only a list can be an empty one.
            let nothing = if section == "compartment" { json!({}) } else { nothing.clone() };
            document[section] = json!({"value": nothing, "error": {}});
        }
        for log in LOGS {
            document["events"][log] =
                json!({"value": {"absent": false, "groups": nothing}, "error": null});
        }
        document["clock"] = json!({"value": {"source": "", "offsets": nothing}, "error": {}});
        document["runtime"] = json!({"value": {"containerd": {}, "docker": {}}, "error": {}});
        document["domain"] =
            json!({"value": {"joined": false, "name": {}, "secureChannel": {}}, "error": {}});
        let output = of(&document);
        assert_eq!(output.accounts, Ok(vec![]), "{nothing}");
        assert_eq!(output.plugins, Ok(vec![]), "{nothing}");
        assert_eq!(output.dns, Ok(vec![]), "{nothing}");
        assert_eq!(output.ports, Ok(vec![]), "{nothing}");
        assert_eq!(output.compartment, Ok(None), "{nothing}");
        assert_eq!(output.clock.unwrap().offsets, vec![], "{nothing}");
        assert_eq!(output.runtime, Ok(Runtime::default()), "{nothing}");
        assert_eq!(output.domain, Ok(Domain::default()), "{nothing}");
        let events = output.events;
        let logs =
            [events.ccg, events.aks, events.rancher, events.compute, events.netlogon, events.kdc];
        assert_eq!(logs, [const { Ok(Some(Vec::new())) }; 6], "{nothing}");
    }
    // Whole sections without a value.
    let mut document = document();
    for section in SECTIONS {
        document[section] = json!({});
    }
    for log in LOGS {
        document["events"][log] = json!({"value": {}, "error": null});
    }
    let output = of(&document);
    assert_eq!((output.accounts, output.plugins), (Ok(vec![]), Ok(vec![])));
    assert_eq!(output.events.netlogon, Ok(Some(vec![])));
}

/// Each list of the document with one element: as an array, alone, and as an object with `Count`.
#[test]
fn lists_of_one_element_are_read_in_each_form_for_every_section() {
    type Count = fn(&NodeOutput) -> usize;
    let group = json!({"id": 8, "level": 2, "count": 1, "codes": "0xC000006D",
        "first": "/Date(1764064801000)/", "last": {"value": "/Date(1764064801000)/", "DisplayHint": 2}});
    let lists: [(&str, Value, Count); 7] = [
        ("/accounts/value", json!({"name": "WebApp1", "usable": true, "error": {}}), |output| {
            output.accounts.as_ref().unwrap().len()
        }),
        ("/plugins/value", json!({"guid": "{1}", "server": {}, "present": {}}), |output| {
            output.plugins.as_ref().unwrap().len()
        }),
        ("/dns/value", json!({"domain": "contoso.com", "controllers": "dc1"}), |output| {
            output.dns.as_ref().unwrap()[0].controllers.len()
        }),
        ("/ports/value", json!({"host": "dc1", "port": 88, "open": false}), |output| {
            output.ports.as_ref().unwrap().len()
        }),
        ("/clock/value/offsets", json!({"host": "dc1", "seconds": {}}), |output| {
            output.clock.as_ref().unwrap().offsets.len()
        }),
        ("/events/ccg/value/groups", group.clone(), |output| {
            output.events.ccg.as_ref().unwrap().as_ref().unwrap()[0].codes.len()
        }),
        ("/events/kdc/value/groups", group, |output| {
            let groups = output.events.kdc.as_ref().unwrap().as_ref().unwrap();
            assert_eq!(groups[0].last, "2025-11-25T10:00:01Z");
            groups.len()
        }),
    ];
    for (pointer, element, count) in lists {
        for list in [json!([element]), element.clone(), json!({"value": [element], "Count": 1})] {
            let mut document = document();
            document["events"]["ccg"] =
                json!({"value": {"absent": false, "groups": []}, "error": {}});
            document["events"]["kdc"] = document["events"]["ccg"].clone();
            document["accounts"]["error"] = json!({});
            *document.pointer_mut(pointer).unwrap() = list.clone();
            assert_eq!(count(&of(&document)), 1, "{pointer}: {list}");
        }
    }
}

#[test]
fn a_failed_or_odd_section_does_not_affect_the_others() {
    let mut document = document();
    document["plugins"] = json!({"value": null, "error": "Zugriff verweigert\u{1b}[31m\n"});
    document["system"] = json!({"value": {"build": "zwanzig"}, "error": null});
    document.as_object_mut().unwrap().remove("ports");
    document["events"]["ccg"] = json!(7);
    let output = of(&document);
    assert_eq!(output.plugins, Err("Zugriff verweigert [31m ".to_owned()));
    assert!(output.system.unwrap_err().contains("cannot be read"));
    assert_eq!(output.ports, Err("the script did not check it".to_owned()));
    // An unreadable log is never reported as a log without failures.
    assert!(output.events.ccg.unwrap_err().contains("cannot be read"));
    assert_eq!(output.dns.unwrap().len(), 1);
}

#[test]
fn files_of_other_content_are_rejected() {
    for (bytes, words) in [
        (&b""[..], "it is not JSON"),
        (b"Get-WinEvent : Zugriff verweigert", "it is not JSON"),
        (b"{\"kind\":\"DoctorReport\"}", "its kind is not NodeChecks"),
        (b"[]", "its kind is not NodeChecks"),
        (b"{\"kind\":\"NodeChecks\"}", "it is of version none"),
        (b"{\"kind\":\"NodeChecks\",\"version\":2}", "it is of version 2"),
        (b"\xFF\xFE{", "it ends within a character of UTF-16: it was cut off"),
        (b"caf\xE9", "it ends within a character of UTF-8: it was cut off"),
        (b"caf\xE9 ", "-Encoding utf8"),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_mangled_document_panics(at in 0..EXAMPLE.len(), length in 0..40_usize, with in "\\PC{0,8}") {
        let start = EXAMPLE.floor_char_boundary(at);
        let end = EXAMPLE.floor_char_boundary((start + length).min(EXAMPLE.len()));
        let mangled = format!("{}{with}{}", &EXAMPLE[..start], &EXAMPLE[end..]);
        if let Ok(output) = read(mangled.as_bytes()) {
            let _ = crate::diagnosis::node::judge(&output, &[]);
        }
    }
}
