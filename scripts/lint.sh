#!/usr/bin/env bash
# Checks what needs no test run. Stops at the first check that fails.
#
# cargo-deny, typos, shellcheck and actionlint run if they are installed. With CI=true a missing one is installed
# (cargo-deny takes about two minutes); otherwise its check is skipped, and the output says so.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

say "format"
cargo fmt --all --check
say "lints"
cargo clippy --locked --workspace --all-targets -- -D warnings
cargo clippy --locked --workspace --all-targets --features gmsa-webhook/otlp -- -D warnings
windows=x86_64-pc-windows-gnu
if has_std "$windows"; then
    say "the plugin for Windows"
    (
        cross_build "$windows"
        cargo check --locked --target "$windows" -p kubectl-gmsa --features gssapi
    )
else
    skip "that the plugin compiles for Windows" "rustup target add $windows, or make windows"
fi
# It also names what only Unix has and no `cfg` keeps from the plugin for Windows.
say "generated files, links, length of files"
cargo xtask check

if ! have cargo-deny && [ "${CI:-}" = true ]; then
    install_crate cargo-deny "$cargo_deny_version"
fi
if have cargo-deny; then
    say "licences and sources of dependencies"
    cargo deny --log-level error --locked check bans licenses sources
else
    skip "licences and sources of dependencies" "cargo install cargo-deny --locked"
fi
scripts/advisories.sh

if ! have typos && [ "${CI:-}" = true ]; then
    install_typos
fi
if have typos; then
    say "spelling"
    typos
else
    skip "spelling" "cargo install typos-cli --locked"
fi

if ! have shellcheck && [ "${CI:-}" = true ]; then
    install_packages shellcheck
fi
if have shellcheck; then
    say "shell scripts"
    shellcheck --external-sources --severity=warning scripts/*.sh crates/*/scripts/*.sh .ci/run
else
    skip "shell scripts" "apt-get install shellcheck"
fi

if ! have npm && [ "${CI:-}" = true ]; then
    install_packages nodejs npm
fi
if have npm; then
    say "workflows"
    lint_workflows .github/workflows/*.yml
else
    skip "workflows" "apt-get install nodejs npm"
fi
