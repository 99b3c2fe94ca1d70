#!/usr/bin/env bash
# kube-cel 0.8.0 (crates.io): a rule about the former value of a list's item compares the wrong items.
#
# One would guess: lists are what the CRD says they are, as with an API server (Kubernetes' documentation of CRD
# validation rules; seen with 1.36.2): items of `x-kubernetes-list-type: map` belong together by their keys, and in a
# `set` the order means nothing.
# Seen: items are compared by their place: two that change places, and one that moves down because another comes
# before it, break `self.value == oldSelf.value`. A set is not equal to itself in another order.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2024"
[dependencies]
kube-cel = { version = "=0.8.0", features = ["validation"] }
serde_json = "=1.0.149"
[profile.dev]
debug = false
TOML
cat > src/main.rs <<'RUST'
use kube_cel::Validator;
use serde_json::{Value, json};

fn show(name: &str, schema: &Value, object: &Value, old: Option<&Value>) {
    match Validator::new().validate(schema, object, old) {
        Ok(()) => println!("{name}: valid"),
        Err(errors) => {
            let errors: Vec<_> = errors.into_vec().iter().map(ToString::to_string).collect();
            println!("{name}: {}", errors.join("; "));
        }
    }
}

fn main() {
    let item = json!({
        "type": "object",
        "properties": {"name": {"type": "string"}, "value": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.value == oldSelf.value", "message": "value is immutable"}]
    });
    let map = json!({"type": "object", "properties": {"list": {
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item
    }}});
    let (a, b) = (json!({"name": "a", "value": 1}), json!({"name": "b", "value": 2}));
    show("items in another order", &map, &json!({"list": [b, a]}), Some(&json!({"list": [a, b]})));
    show("an item before", &map, &json!({"list": [b, a]}), Some(&json!({"list": [a]})));
    let set = json!({
        "type": "object",
        "properties": {"list": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}},
        "x-kubernetes-validations": [{"rule": "self.list == ['b', 'a']", "message": "not equal"}]
    });
    show("a set", &set, &json!({"list": ["a", "b"]}), None);
}
RUST
cargo run --quiet 2> /dev/null | tee result
diff result - <<'TEXT'
items in another order: list[0]: value is immutable; list[1]: value is immutable
an item before: list[0]: value is immutable
a set: not equal
TEXT
