#!/usr/bin/env bash
# Measures the server against the floor of its own stack, and the review command, in one run, and
# writes docs/benchmarks.md. Needs the control plane of the tests and h2load.
# `make bench ARGS=--quick` is short and writes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

if ! have h2load; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    say "installing nghttp2-client for h2load"
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends nghttp2-client >&2
fi
scripts/control-plane.sh
say "building with optimisation (a few minutes)"
cargo build --locked --release -p gmsa-webhook -p kubectl-gmsa --bins --examples
say "measuring"
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
"$target/release/examples/load" "$target/release" "$@"
