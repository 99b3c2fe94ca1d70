//! Objects that make pods, as plain JSON: where their pod templates are, what in them names a
//! credential spec where nothing reads it, and what of their pods cannot work.
//!
//! This is the one walk over objects: `review`, the audit and early warnings all take what they
//! judge from here. The admission of pods does not: it reads a [`crate::pod::Pod`].

mod near;
mod node_selection;
mod pod_findings;
mod template;
mod unread;

pub use node_selection::selects_windows_nodes_only;
pub use pod_findings::{account_missing, image_mismatch, pod_findings, refine_binding};
pub use template::{Template, templates};
pub use unread::unread;

use serde_json::Value;

/// The API group of an `apiVersion`; empty for the core group.
#[must_use]
pub fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether the group is one of Kubernetes itself, whose objects have no fields but the documented
/// ones.
fn is_built_in(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

/// The objects of these groups describe fields of others: schemas and rules.
fn describes_fields(group: &str) -> bool {
    const GROUPS: [&str; 7] = [
        "apiextensions.k8s.io",
        "admissionregistration.k8s.io",
        "kyverno.io",
        "policies.kyverno.io",
        "policies.kubewarden.io",
        "templates.gatekeeper.sh",
        "constraints.gatekeeper.sh",
    ];
    GROUPS.contains(&group) || group == "mutations.gatekeeper.sh"
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// One more step of a JSON pointer (RFC 6901).
fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A JSON pointer as people write a path: `spec.containers[0].image`. A key with a dot or a slash
/// is in brackets.
#[must_use]
pub fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let key = step.replace("~1", "/").replace("~0", "~");
        if key.bytes().all(|byte| byte.is_ascii_digit()) && !path.is_empty() {
            path.push_str(&format!("[{key}]"));
        } else if key.contains(['.', '/', '[', ' ']) {
            path.push_str(&format!("[{}]", crate::pod::shown(&key)));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&crate::pod::shown(&key));
        }
    }
    path
}

#[cfg(test)]
mod tests;
