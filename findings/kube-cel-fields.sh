#!/usr/bin/env bash
# kube-cel 0.8.0 (crates.io): a field with an underscore has another name than in the API server.
#
# One would guess: rules of a CRD name fields and see values as an API server's do (Kubernetes' documentation of CRD
# validation rules; seen with 1.36.2): `__` alone is escaped, as `__underscores__`, a field of type number is a
# double, and a string with the format date is a timestamp.
# Seen: the field my_field is `self.my__field`, which servers refuse, and `self.my_field` is "no such key". The number
# 1 is an integer, which is not equal to 1.0, and a date is a text, which cannot be compared with a timestamp.
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
    for (field, rule, value) in [
        (json!({"name": {"type": "string"}}), "self.name == 'web'", json!({"name": "web"})),
        (json!({"my_field": {"type": "string"}}), "self.my_field == 'web'", json!({"my_field": "web"})),
        (json!({"my__field": {"type": "string"}}), "self.my__underscores__field == 'web'", json!({"my__field": "web"})),
        (json!({"share": {"type": "number"}}), "self.share == 1.0", json!({"share": 1.0})),
        (json!({"share": {"type": "number"}}), "self.share == 1.0", json!({"share": 1})),
        (
            json!({"at": {"type": "string", "format": "date-time"}}),
            "self.at < timestamp('2027-01-01T00:00:00Z')",
            json!({"at": "2026-11-29T00:00:00Z"}),
        ),
        (
            json!({"day": {"type": "string", "format": "date"}}),
            "self.day < timestamp('2027-01-01T00:00:00Z')",
            json!({"day": "2026-11-29"}),
        ),
    ] {
        let rules = json!([{"rule": rule, "message": "false"}]);
        let schema = json!({"type": "object", "properties": field, "x-kubernetes-validations": rules});
        show(&format!("{value} {rule}"), &schema, &value, None);
    }
}
RUST
cargo run --quiet 2> /dev/null | tee result
diff result - <<'TEXT'
{"name":"web"} self.name == 'web': valid
{"my_field":"web"} self.my_field == 'web': rule evaluation error: No such key: my_field
{"my__field":"web"} self.my__underscores__field == 'web': rule evaluation error: No such key: my__underscores__field
{"share":1.0} self.share == 1.0: valid
{"share":1} self.share == 1.0: false
{"at":"2026-11-29T00:00:00Z"} self.at < timestamp('2027-01-01T00:00:00Z'): valid
{"day":"2026-11-29"} self.day < timestamp('2027-01-01T00:00:00Z'): rule evaluation error: No such overload
TEXT
