#!/usr/bin/env bash
# Installs Samba (4.22 or newer), kinit and faketime from Debian's packages and provisions an Active Directory domain
# in the directory given as the only argument. The tests copy it and start a domain controller.
#
# Needs Debian 12 or newer and root (or sudo). The apt sources of the machine are not changed: on
# Debian 12 the packages come from bookworm-backports through a private list that names the mirrors
# the machine already uses. Nothing is started. Half a minute; the result is kept in the cache.
set -euo pipefail

out=${1:?usage: build-domain-controller.sh OUTPUT_DIRECTORY}
say() { printf 'domain controller: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "root or sudo is needed: a domain controller listens on port 389"
    as_root=(sudo)
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/domain-controller.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Functional level 2016 and managed passwords came with 4.20.
recent() {
    command -v samba >/dev/null && command -v samba-tool >/dev/null || return 1
    local version
    version=$(samba --version | sed 's/^Version \([0-9]*\.[0-9]*\).*/\1/')
    [ "$(printf '%s\n' 4.20 "$version" | sort -V | head -n 1)" = 4.20 ]
}

install_samba() {
    command -v apt-get >/dev/null || die "apt-get is missing: install Samba 4.22 with its domain controller and run this again"
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    say "installing Samba"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq
    mkdir -p "$work/lists/partial"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN) $(LABEL)' \
        'Identifier: Packages' 'Component: main' |
        while read -r uri release origin label; do
            [ "$origin" = Debian ] || continue
            echo "deb [signed-by=$keyring] $uri $release main"
            if [ "$label $codename" = "Debian bookworm" ] && [ "$release" = bookworm ]; then
                echo "deb [signed-by=$keyring] $uri bookworm-backports main"
            fi
        done | sort -u >"$work/sources.list"
    [ -s "$work/sources.list" ] || die "no apt source of Debian main is configured"
    private=(
        -o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=-"
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache::srcpkgcache=" -o "Dir::Cache::pkgcache="
        -o "APT::Sandbox::User=root"
    )
    release=()
    [ "$codename" != bookworm ] || release=(-t bookworm-backports)
    "${as_root[@]}" apt-get "${private[@]}" update -qq
    # Packages start their daemons unless this says no.
    policy=/usr/sbin/policy-rc.d
    ours=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
        ours=1
    fi
    status=0
    "${as_root[@]}" apt-get "${private[@]}" install -y -qq -o Dpkg::Use-Pty=0 \
        --no-install-recommends "${release[@]}" \
        samba-ad-dc samba-ad-provision ldb-tools krb5-user attr faketime >&2 || status=$?
    [ -z "$ours" ] || "${as_root[@]}" rm -f "$policy"
    [ "$status" -eq 0 ] || die "apt-get could not install Samba"
    recent || die "the installed Samba is too old: 4.22 is needed"
}

if ! recent || ! command -v kinit >/dev/null || ! command -v faketime >/dev/null; then
    install_samba
fi

say "provisioning the domain contoso.com"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"${as_root[@]}" "$here/provision-domain.sh" "$out" >"$work/log" 2>&1 || {
    tail -n 40 "$work/log" >&2
    die "the domain could not be provisioned"
}
say "ready in $out"
