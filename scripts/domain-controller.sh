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
[ -f "$cache/ready" ] || exec crates/gmsa-testkit/scripts/build-domain-controller.sh "$cache"
