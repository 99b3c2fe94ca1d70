#!/usr/bin/env bash
# kube_quantity 0.9.0 (crates.io): a quantity with E or Ei cannot be parsed, and one that is none can.
#
# One would guess: all suffixes of Kubernetes' Quantity, m, k to E and Ki to Ei, are read, and what API servers
# refuse is refused.
# Seen: `1E` and `1Ei` are errors, while `1e3Mi`, an exponent and a suffix, which API servers refuse (seen with 1.36.2),
# is `1000Mi`.
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
kube_quantity = "=0.9.0"
k8s-openapi = { version = "=0.29.0", features = ["v1_33"] }
TOML
cat > src/main.rs <<'RUST'
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube_quantity::ParsedQuantity;

fn main() {
    for text in ["1P", "1E", "1Pi", "1Ei", "1e3", "1e3Mi"] {
        match ParsedQuantity::try_from(Quantity(text.to_owned())) {
            Ok(quantity) => println!("{text} -> {quantity}"),
            Err(error) => println!("{text} -> {error}"),
        }
    }
}
RUST
cargo run --quiet 2> /dev/null | tee result
diff result - <<'TEXT'
1P -> 1P
1E -> quantity parsing failed
1Pi -> 1Pi
1Ei -> quantity parsing failed
1e3 -> 1000
1e3Mi -> 1000Mi
TEXT
