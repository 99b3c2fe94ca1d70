#!/usr/bin/env bash
# Runs the tests of Active Directory against the Samba of another release of Debian than this machine's:
# `scripts/test-samba.sh` takes trixie-backports (Samba 4.24), `scripts/test-samba.sh sid` the newest. Needs
# root, and some minutes the first time: debootstrap puts the release into a directory, SAMBA_ROOT or one in
# the cache. What is built here runs in there. Not part of `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

release=${1:-trixie-backports}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa
root=${SAMBA_ROOT:-$cache/samba-$release}
mirror=${DEBIAN_MIRROR:-$(debian_mirrors | head -n 1)}
[ "$(id -u)" -eq 0 ] || die "root is needed: the tests run in another root directory"

if [ ! -f "$root/ready" ]; then
    have debootstrap || install_packages debootstrap
    say "installing Debian $release into $root"
    mkdir -p "$root"
    [ -x "$root/usr/bin/apt-get" ] || debootstrap --variant=minbase "${release%-backports}" "$root" "$mirror" >/dev/null
    [ ! -f /etc/resolv.conf ] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    echo "deb $mirror $release main" >"$root/etc/apt/sources.list.d/samba.list"
    # Packages start their daemons unless this says no.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    chroot "$root" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -qq --no-install-recommends \
        -t "$release" samba-ad-dc samba-ad-provision ldb-tools krb5-user attr faketime >/dev/null
    touch "$root/ready"
fi

scripts/control-plane.sh
say "building the tests"
cargo nextest run --locked --workspace --features gmsa-webhook/otlp --no-run
files=$root/nextest
mkdir -p "$files"
cargo nextest list --locked --workspace --features gmsa-webhook/otlp --list-type binaries-only \
    --message-format json >"$files/binaries.json"
cargo metadata --locked --format-version 1 >"$files/metadata.json"

# shellcheck disable=SC2016
inside='
cd "$1"
export PATH=$2:/usr/sbin:/usr/bin:/sbin:/bin XDG_CACHE_HOME=/cache HOME=/root
# There is no cargo to ask.
export INSTA_WORKSPACE_ROOT=$1
scripts/domain-controller.sh
samba --version
exec cargo-nextest nextest run --no-fail-fast --binaries-metadata /nextest/binaries.json \
    --cargo-metadata /nextest/metadata.json -E "$3"'
# What asks a domain controller; the doctor and the audit need a control plane, too.
tests='package(gmsa-directory)
    | package(kubectl-gmsa) & test(/^(account|audit_directory|clock|credspec|directory|doctor_directory)::/)
    | package(kubectl-gmsa) & test(/^remedies::(accounts|controllers|directory)::/)'
# Mounts of its own, which end with it.
# shellcheck disable=SC2016
unshare --mount --propagation private bash -euo pipefail -c '
root=$1 here=$2 nextest=$3 cache=$4
bound() { mkdir -p "$2"; mount --rbind "$1" "$2"; }
bound /proc "$root/proc"
bound /dev "$root/dev"
bound "$here" "$root$here"
bound "$nextest" "$root/nextest/bin"
for peer in "$cache"/*/; do
    case $(basename "$peer") in
        domain-controller | samba-*) ;;
        *) bound "$peer" "$root/cache/kube-gmsa/$(basename "$peer")" ;;
    esac
done
exec chroot "$root" bash -euo pipefail -c "$5" bash "$here" /nextest/bin "$6"' \
    bash "$root" "$PWD" "$(dirname "$(command -v cargo-nextest)")" "$cache" "$inside" "$tests"
