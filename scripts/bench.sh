#!/usr/bin/env bash
# Measures the server against the build of the commit BASE, the floor of its own stack and, if
# PEER_WEBHOOK names its program, the Go webhook, in turns within one run, and writes docs/benchmarks.md
# with its plots. Measuring takes about ten minutes, on a machine that should do nothing else; building
# comes before that. Needs the control plane of the tests and h2load.
# `make bench ARGS=--quick` takes two minutes and writes nothing. `make bench ARGS=--directory` measures
# the commands that ask Active Directory instead (scripts/bench-directory.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

case " $* " in *" --directory "*) exec scripts/bench-directory.sh ;; esac
base=${BASE:-82253ad}
have h2load || install_packages nghttp2-client
scripts/control-plane.sh
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
# The server of BASE is built once. It shares the dependencies with this build.
if [ -z "${BASE_WEBHOOK:-}" ]; then
    BASE_WEBHOOK=$target/bench/$(git rev-parse "$base")
    if [ ! -x "$BASE_WEBHOOK" ]; then
        say "building the server of $base with optimisation (a few minutes)"
        work=$(mktemp -d)
        trap 'git worktree remove --force "$work/base" 2>/dev/null || true; rm -rf "$work"' EXIT
        git worktree add --quiet --detach "$work/base" "$base"
        (cd "$work/base" && cargo build --locked --release -p gmsa-webhook --bin gmsa-webhook --target-dir "$target")
        install -D -m 755 "$target/release/gmsa-webhook" "$BASE_WEBHOOK"
    fi
fi
say "building with optimisation (a few minutes)"
cargo build --locked --release -p gmsa-webhook -p kubectl-gmsa --bins --examples
say "measuring"
"$target/release/examples/load" bench "$target/release" --base "$BASE_WEBHOOK" --base-commit "$base" \
    ${PEER_WEBHOOK:+--peer "$PEER_WEBHOOK"} "$@"
