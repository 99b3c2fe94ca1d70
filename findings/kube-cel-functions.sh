#!/usr/bin/env bash
# kube-cel 0.8.0 (crates.io): getHours() takes a time zone, and ignores it.
#
# One would guess: the functions give what the API server's documentation of them says: getHours("+01:00") is the hour in
# that zone (CEL's language definition), build metadata does not count when two versions are compared (semver.org, 10),
# a quantity beyond 64 bits is no integer (the example of isInteger()), and a duration is written as 3600s; an API
# server 1.36.2 agrees.
# Seen: the hour is that of UTC, 1.2.3 is less than 1.2.3+build, 9999999999999999999999999999999999999G is an integer,
# and a duration is written as Rust's debugging output.
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
use kube_cel::KubeCelExt;
use kube_cel::cel::{Context, Program};

fn main() {
    for text in [
        "timestamp('2026-11-29T14:00:00Z').getHours()",
        "timestamp('2026-11-29T14:00:00Z').getHours('+01:00')",
        "semver('1.2.3').compareTo(semver('1.2.3'))",
        "semver('1.2.3').compareTo(semver('1.2.3+build'))",
        "quantity('50M').isInteger()",
        "quantity('9999999999999999999999999999999999999G').isInteger()",
        "'%s and %s'.format([1, duration('1h')])",
    ] {
        let value = Program::compile(text).unwrap().execute(&Context::default().with_all());
        println!("{text} -> {value:?}");
    }
}
RUST
cargo run --quiet 2> /dev/null | tee result
diff result - <<'TEXT'
timestamp('2026-11-29T14:00:00Z').getHours() -> Ok(Int(14))
timestamp('2026-11-29T14:00:00Z').getHours('+01:00') -> Ok(Int(14))
semver('1.2.3').compareTo(semver('1.2.3')) -> Ok(Int(0))
semver('1.2.3').compareTo(semver('1.2.3+build')) -> Ok(Int(-1))
quantity('50M').isInteger() -> Ok(Bool(true))
quantity('9999999999999999999999999999999999999G').isInteger() -> Ok(Bool(true))
'%s and %s'.format([1, duration('1h')]) -> Ok(String("1 and Duration(TimeDelta { secs: 3600, nanos: 0 })"))
TEXT
