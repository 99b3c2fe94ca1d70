#!/usr/bin/env bash
# Runs every test. What is missing for that is installed or built, and said: cargo-nextest with
# `cargo install`, the control plane and the domain controller from Debian's packages (root or sudo,
# about twenty minutes, once).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

have cargo-nextest || install_crate cargo-nextest "$cargo_nextest_version"
# Before the control plane, so that all of Kubernetes is built at once.
if ! scripts/node.sh >/dev/null; then
    [ "${CI:-}" != true ] || exit 1
    say "no cluster of one node: the tests on a real node are skipped, each by name"
fi
if ! scripts/control-plane.sh; then
    [ "${CI:-}" != true ] || exit 1
    say "no control plane: the tests that need one are skipped, each by name"
fi
if ! scripts/domain-controller.sh; then
    [ "${CI:-}" != true ] || exit 1
    say "no domain controller: the tests that need one are skipped, each by name"
fi

if ! scripts/helm.sh >/dev/null; then
    [ "${CI:-}" != true ] || exit 1
    say "no helm: the tests of the chart are skipped, each by name"
fi

if ! scripts/chromium.sh; then
    [ "${CI:-}" != true ] || exit 1
    say "no chromium: the test of the report's page is skipped by name"
fi

if ! scripts/artifact-tools.sh --registry >/dev/null; then
    [ "${CI:-}" != true ] || exit 1
    say "no cosign, oras or docker-registry: the test of what a release publishes is skipped by name"
fi

# Without optimization: that it runs alone is what is tested.
if ! scripts/image.sh dev; then
    [ "${CI:-}" != true ] || exit 1
    say "no image: its test is skipped by name"
fi

# Without optimization, too: what is in it is tested.
scripts/dist.sh dev

say "examples in the documentation of the code"
cargo test --locked --quiet --workspace --features gmsa-webhook/otlp --doc
say "documentation"
if ! scripts/docs.sh >/dev/null; then
    [ "${CI:-}" != true ] || exit 1
    say "the documentation was not built"
fi
say "demo"
scripts/demo.sh >/dev/null
# First, so that the plugin without it is the one that stays. The whole workspace is named, so that what
# others need of the libraries is built once.
if scripts/kerberos.sh; then
    say "logging on with a Kerberos ticket"
    gssapi_at_run_time "$(rustc -vV | sed -n 's/^host: //p')"
    cargo nextest run --locked --workspace --features gmsa-webhook/otlp,kubectl-gmsa/gssapi --test gssapi
else
    [ "${CI:-}" != true ] || exit 1
    say "no headers of Kerberos: SKIPPED the_ticket_of_the_caller"
fi

# A failed test tells what it saw; fifty lines of the runtime's own frames would hide it.
export RUST_BACKTRACE=0
say "tests"
# Most tests wait most of the time, for servers to start, notice and stop.
cargo nextest run --locked --workspace --features gmsa-webhook/otlp --test-threads $((3 * $(nproc)))
