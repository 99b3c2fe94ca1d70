#!/usr/bin/env bash
# Measures the commands that ask a large Active Directory, this build and that of the commit BASE in
# turns, and writes the section "Active Directory" of docs/benchmarks.md. Needs the control plane and the
# domain controller of the tests. PROFILE=dev measures this build without optimisation, which changes
# little: the time goes to the controller. BASE_PLUGIN names a plugin of BASE that was built before, and
# NOW_PLUGIN an optimised one of this build.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

base=${BASE:-fac075d}
profile=${PROFILE:-release}
scripts/control-plane.sh
scripts/domain-controller.sh
work=$(mktemp -d)
trap 'git worktree remove --force "$work/base" 2>/dev/null || true; rm -rf "$work"' EXIT
if [ -z "${BASE_PLUGIN:-}" ]; then
    say "building the plugin of $base (a few minutes)"
    git worktree add --quiet --detach "$work/base" "$base"
    (cd "$work/base" && CARGO_TARGET_DIR="$work/target" cargo build --locked --release -p kubectl-gmsa)
    BASE_PLUGIN=$(find "$work/target" -maxdepth 2 -name kubectl-gmsa -type f | head -n 1)
fi
say "building and measuring"
if [ "$profile" = release ]; then
    [ -n "${NOW_PLUGIN:-}" ] || cargo build --locked --release -p kubectl-gmsa
    export GMSA_BENCH_NOW=${NOW_PLUGIN:-$PWD/target/release/kubectl-gmsa}
    build="both optimised"
else
    build="this build without optimisation, the other optimised: memory is that of a program that is four times as large"
fi
GMSA_BENCH_BASE=$BASE_PLUGIN GMSA_BENCH_OUT=$work/rows cargo nextest run --locked --workspace \
    --features gmsa-webhook/otlp --run-ignored only -E 'test(a_large_directory_is_examined_faster_than_before)'

heading='## Active Directory'
page=docs/benchmarks.md
# All other sections stay.
awk -v heading="$heading" '/^## / { ours = $0 == heading } !ours' "$page" |
    sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$work/page"
{
    cat "$work/page"
    printf '\n%s\n\n' "$heading"
    echo "Written by \`make bench ARGS=--directory\`. One run on $(date -u +%Y-%m-%d) against a Samba controller on the same machine (2 cores) with 1,500 computers and 109 accounts; this build and that of commit $base in turns, the best of three each; $build. The time goes to the controller, and memory is the most that was resident."
    printf '\n| | now | %s | |\n|---|---|---|---|\n' "$base"
    cat "$work/rows"
    printf '\n'
    echo "The round trips do not grow with accounts and nodes, and a test counts them. They are five: logon, root entry, domain with nodes, accounts with root keys and the groups of each node, then owners of SIDs and of service principal names."
} >"$work/new"
cp "$work/new" "$page"
say "written to $page"
