//! The JSON Patch (RFC 6902) that the mutating step answers with.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::credspec::Prepared;
use crate::pod::PlaceKind;

/// One `add` operation.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Fills in the contents of a credential spec at one place.
    Contents {
        /// What kind of place it is.
        kind: PlaceKind,
        /// The position in its list.
        index: usize,
        /// The contents.
        contents: Arc<Prepared>,
    },
    /// Sets the pod's hostname.
    Hostname(String),
}

/// Writes the operations as a JSON Patch document.
#[must_use]
pub fn to_json(operations: &[Operation]) -> String {
    let mut json = String::with_capacity(
        2 + operations
            .iter()
            .map(|operation| match operation {
                Operation::Contents { contents, .. } => 128 + contents.escaped.len(),
                Operation::Hostname(hostname) => 64 + hostname.len(),
            })
            .sum::<usize>(),
    );
    json.push('[');
    for (index, operation) in operations.iter().enumerate() {
        json.push_str(if index == 0 {
            r#"{"op":"add","path":"/spec/"#
        } else {
            r#",{"op":"add","path":"/spec/"#
        });
        match operation {
            Operation::Contents { kind, index, contents } => {
                if let Some(list) = kind.list() {
                    // Writing to a string does not fail.
                    let _ = write!(json, "{list}/{index}/");
                }
                json.push_str(r#"securityContext/windowsOptions/gmsaCredentialSpec","value":"#);
                json.push_str(&contents.escaped);
            }
            Operation::Hostname(hostname) => {
                json.push_str(r#"hostname","value":"#);
                push_string(&mut json, hostname);
            }
        }
        json.push('}');
    }
    json.push(']');
    json
}

/// A text as a JSON string.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + text.len() / 4 + 2);
    push_string(&mut json, text);
    json
}

/// Appends a JSON string.
pub fn push_string(json: &mut String, text: &str) {
    json.push('"');
    push_within(json, text);
    json.push('"');
}

/// Appends what stands between the quotes of a JSON string. Runs without anything to escape are
/// copied whole.
pub fn push_within(json: &mut String, text: &str) {
    // Without a way out the compiler looks at many bytes at once.
    let has = |wanted: fn(u8) -> bool| text.bytes().fold(false, |found, byte| found | wanted(byte));
    if !has(escapes) {
        json.push_str(text);
    } else if !has(|byte| byte != b'"' && escapes(byte)) {
        // Messages quote names, and that is all.
        for (index, part) in text.split('"').enumerate() {
            json.push_str(if index == 0 { "" } else { "\\\"" });
            json.push_str(part);
        }
    } else {
        push_escaped(json, text);
    }
}

fn escapes(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f)
}

fn push_escaped(json: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(escapes) {
        let (clean, tail) = rest.split_at(at);
        json.push_str(clean);
        let mut characters = tail.chars();
        match characters.next() {
            Some('"') => json.push_str("\\\""),
            Some('\\') => json.push_str("\\\\"),
            Some(control) => {
                // Writing to a string does not fail.
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    json.push_str(rest);
}
