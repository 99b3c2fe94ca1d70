#!/usr/bin/env bash
# Makes sure that cosign and oras are in the cache, and prints their directory. With --registry installs
# docker-registry too, which the tests push to. Debian 12 has neither cosign nor oras, so they are taken
# out of the packages of Debian 14, whose programs run here; nothing of it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

suite=forky
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/artifact-tools/$suite

fetch() {
    local work
    have apt-get || die "apt-get is missing: install cosign 3 and oras 1.3 by hand, and put them in $cache"
    say "fetching $* from Debian's packages ($suite)"
    work=$(mktemp -d)
    mkdir -p "$cache"
    apt_for "$work" "$suite"
    (
        export APT_CONFIG=$work/apt.conf
        cd "$work"
        apt-get update -qq >&2
        apt-get download -qq "$@" >&2
    )
    for package in "$work"/*.deb; do
        dpkg-deb -x "$package" "$work/root"
    done
    # Moved into place whole, so that a run that is cut off leaves nothing half.
    for program in "$@"; do
        install -m 755 "$work/root/usr/bin/$program" "$cache/$program.part"
        mv "$cache/$program.part" "$cache/$program"
    done
    rm -rf "$work"
}

missing=()
for program in cosign oras; do
    [ -x "$cache/$program" ] || missing+=("$program")
done
[ "${#missing[@]}" -eq 0 ] || fetch "${missing[@]}"
if [ "${1:-}" = --registry ] && ! have docker-registry; then
    install_packages docker-registry
fi
echo "$cache"
