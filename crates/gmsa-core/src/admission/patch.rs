//! The JSON Patch (RFC 6902) that the mutating step answers with.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::credspec::Prepared;
use crate::json::push_string;
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
