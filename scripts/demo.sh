#!/usr/bin/env bash
# Builds the programs and shows the main job without a cluster. Needs Rust and a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

have cargo || die "Rust is missing: see https://rustup.rs"
have cc || die "a C compiler is missing: apt-get install build-essential"
say "building (a minute or two the first time)"
# With the features of the tests, so that nothing is built twice.
cargo build --locked --workspace --features gmsa-webhook/otlp --bins
exec cargo run --locked --quiet --features gmsa-webhook/otlp --bin xtask -- demo
