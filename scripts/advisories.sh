#!/usr/bin/env bash
# Checks the dependencies against the advisories of RustSec, whose database comes over the network:
# if it cannot be fetched, the script says so and does not fail.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

if ! have cargo-deny; then
    skip "advisories on dependencies" "cargo install cargo-deny --locked"
elif cargo deny --log-level off --locked fetch db >/dev/null 2>&1; then
    say "advisories on dependencies"
    cargo deny --log-level error --locked check advisories
else
    skip "advisories on dependencies" "https://github.com/RustSec/advisory-db cannot be reached"
fi
