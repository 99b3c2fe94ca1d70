#!/usr/bin/env bash
# Builds the programs and shows the main job without a cluster. Needs Rust and a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

have cargo || die "Rust is missing: see https://rustup.rs"
have cc || die "a C compiler is missing: apt-get install build-essential"
say "building (a minute or two the first time)"
cargo build --locked --workspace --bins
exec cargo run --locked --quiet --bin xtask -- demo
