#!/usr/bin/env bash
# Measures the server against the floor of its own stack, and the review command, in one run, and
# writes docs/benchmarks.md. Needs the control plane of the tests and h2load. The figures of Active
# Directory follow, compared with the commit BASE (scripts/bench-directory.sh).
# `make bench ARGS=--quick` is short and writes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

have h2load || install_packages nghttp2-client
scripts/control-plane.sh
say "building with optimisation (a few minutes)"
cargo build --locked --release -p gmsa-webhook -p kubectl-gmsa --bins --examples
say "measuring"
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
"$target/release/examples/load" "$target/release" "$@"
case " $* " in *" --quick "*) ;; *) scripts/bench-directory.sh ;; esac
