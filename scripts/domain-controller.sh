#!/usr/bin/env bash
# Makes sure that there is a domain controller for the tests: Samba installed, and two domains in the
# cache, which are provisioned anew when the scripts that do so have changed.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/domain-controller
scripts=crates/gmsa-testkit/scripts
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)

# provisioned DIRECTORY SCRIPT...: whether it was done by these scripts, as they are now.
provisioned() {
    local directory=$1
    shift
    cat "$@" | cmp -s - "$directory/ready"
}

mkdir -p "$cache/large"
exec 9>"$cache/.lock"
flock 9

made_by=("$scripts/provision.sh" "$scripts/provision-domain.sh")
for program in samba kinit faketime; do
    command -v "$program" >/dev/null || rm -f "$cache/ready"
done
if ! provisioned "$cache" "${made_by[@]}"; then
    rm -f "$cache/ready"
    "$scripts/build-domain-controller.sh" "$cache"
    cat "${made_by[@]}" >"$cache/ready"
fi

# The large one: some minutes, once.
made_by=("$scripts/provision.sh" "$scripts/provision-large-domain.sh" "$scripts/populate-large-domain.py")
if ! provisioned "$cache/large" "${made_by[@]}"; then
    rm -f "$cache/large/ready"
    "${as_root[@]}" "$scripts/provision-large-domain.sh" "$cache/large" >"$cache/large/log" 2>&1 ||
        { tail -n 40 "$cache/large/log" >&2; exit 1; }
    cat "${made_by[@]}" >"$cache/large/ready"
fi
