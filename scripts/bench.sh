#!/usr/bin/env bash
# Measures the server against the build of the commit BASE, the floor of its own stack and, if
# PEER_WEBHOOK names its program, the Go webhook, in turns within one run, and writes docs/benchmarks.md
# with its plots. Measuring takes about fifteen minutes, on a machine that should do nothing else; building
# comes before that. Needs the control plane of the tests and h2load.
#
#   make bench                          everything but the two below
#   make bench ARGS='--only PART,...'   these parts; the page keeps the figures of the others:
#                                       calls, rsa, handshakes, http2, creation, memory, start
#   make bench ARGS=--quick             two minutes; prints the page and writes nothing
#   make bench ARGS=--cluster           creation of pods on a cluster of one node (scripts/cluster.sh; root)
#   make bench ARGS=--directory         the commands that ask Active Directory (scripts/bench-directory.sh)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

case " $* " in *" --directory "*) exec scripts/bench-directory.sh ;; esac
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
case " $* " in
    *" --cluster "*)
        PROFILE=release scripts/cluster.sh up
        trap 'scripts/cluster.sh down' EXIT
        export KUBECONFIG=$target/cluster/node/kubeconfig PATH=$target/cluster/bin:$PATH
        # So that pods of one namespace are sent to the webhook, and those of another are not.
        kubectl gmsa install --namespaces-opt-in
        cargo build --locked --release -p gmsa-webhook --example load
        "$target/release/examples/load" bench "$target/release" "${@/#--cluster/--cluster=$KUBECONFIG}"
        exit
        ;;
esac
base=${BASE:-82253ad}
have h2load || install_packages nghttp2-client
scripts/control-plane.sh
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
