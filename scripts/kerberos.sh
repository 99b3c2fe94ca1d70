#!/usr/bin/env bash
# Installs what the feature `gssapi` is built with: the headers of Kerberos, and libclang, which reads
# their declarations. Debian's packages, root or sudo; where they are there nothing is done.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

installed() {
    dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

missing=()
installed libkrb5-dev || missing+=(libkrb5-dev)
installed 'libclang-[0-9]*-dev' || missing+=(libclang-dev)
[ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"
