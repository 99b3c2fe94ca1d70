#!/usr/bin/env bash
# Makes sure that there is a domain controller for the tests: Samba installed, and a domain in the
# cache, which is provisioned anew when the script that does so has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/domain-controller
provision=crates/gmsa-testkit/scripts/provision-domain.sh
if [ -f "$cache/ready" ] &&
    ! cmp -s "$provision" "$cache/ready"; then
    rm -f "$cache/ready"
fi
for program in samba kinit; do
    command -v "$program" >/dev/null || rm -f "$cache/ready"
done
[ -f "$cache/ready" ] || crates/gmsa-testkit/scripts/build-domain-controller.sh "$cache"

# The large one: some minutes, once.
large=crates/gmsa-testkit/scripts/provision-large-domain.sh
if ! cmp -s "$large" "$cache/large/ready"; then
    mkdir -p "$cache/large"
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    (
        flock 9
        cmp -s "$large" "$cache/large/ready" || "${as_root[@]}" "$large" "$cache/large" >"$cache/large/log" 2>&1 ||
            { tail -n 40 "$cache/large/log" >&2; exit 1; }
    ) 9>"$cache/large/.lock"
fi
