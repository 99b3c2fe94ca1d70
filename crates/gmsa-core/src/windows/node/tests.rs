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
        // A console that breaks lines after 80 characters, whatever stands there.
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

#[test]
fn a_section_that_failed_or_is_odd_takes_no_other_with_it() {
    let mut document = document();
    document["plugins"] = json!({"value": null, "error": "Zugriff verweigert\u{1b}[31m\n"});
    document["system"] = json!({"value": {"build": "zwanzig"}, "error": null});
    document.as_object_mut().unwrap().remove("ports");
    document["events"]["ccg"] = json!(7);
    let output = of(&document);
    assert_eq!(output.plugins, Err("Zugriff verweigert [31m ".to_owned()));
    assert!(output.system.unwrap_err().contains("cannot be read"));
    assert_eq!(output.ports, Err("the script did not look at it".to_owned()));
    assert_eq!(output.events.ccg, Ok(Some(vec![])));
    assert_eq!(output.dns.unwrap().len(), 1);
}

#[test]
fn what_is_no_output_of_the_script_is_said_to_be_none() {
    for (bytes, words) in [
        (&b""[..], "it is no JSON"),
        (b"Get-WinEvent : Zugriff verweigert", "it is no JSON"),
        (b"{\"kind\":\"DoctorReport\"}", "its kind is no NodeChecks"),
        (b"[]", "its kind is no NodeChecks"),
        (b"{\"kind\":\"NodeChecks\"}", "it is of version none"),
        (b"{\"kind\":\"NodeChecks\",\"version\":2}", "it is of version 2"),
        (b"\xFF\xFE{", "no text"),
        (b"caf\xE9", "no text"),
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
