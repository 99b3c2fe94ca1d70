#!/usr/bin/env bash
# Measures the commands that ask a large Active Directory, this build and that of the commit BASE in
# turns, and writes the section "Active Directory" of docs/benchmarks.md. Needs the control plane and the
# domain controller of the tests. PROFILE=dev builds without optimisation, which changes little: the time
# goes to the controller.
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
    (cd "$work/base" && CARGO_TARGET_DIR="$work/target" cargo build --locked --profile "$profile" -p kubectl-gmsa)
    BASE_PLUGIN=$(find "$work/target" -maxdepth 2 -name kubectl-gmsa -type f | head -n 1)
fi
say "building and measuring"
GMSA_BENCH_BASE=$BASE_PLUGIN GMSA_BENCH_OUT=$work/rows cargo nextest run --locked --cargo-profile "$profile" \
    -p kubectl-gmsa --run-ignored only a_large_directory_is_examined_faster_than_before

heading='## Active Directory'
sed -i "/^$heading\$/,\$d" docs/benchmarks.md
sed -i -e :a -e '/^\n*$/{$d;N;ba' -e '}' docs/benchmarks.md
{
    printf '\n%s\n\n' "$heading"
    echo "One run against a Samba controller on the same machine with 1,500 computers and 109 accounts, this build and that of commit $base in turns, the best of three each. The number of round trips does not grow with accounts and nodes: connection, TLS, logon, root entry, then domain and nodes, then accounts, root keys and the groups of each node together, then owners of SIDs and service principal names together."
    printf '\n| | now | %s | |\n|---|---|---|---|\n' "$base"
    cat "$work/rows"
} >>docs/benchmarks.md
say "written to docs/benchmarks.md"
