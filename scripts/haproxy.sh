#!/usr/bin/env bash
# Makes sure that haproxy is there, which stands in front of the replicas in tests as a Service does,
# and ip, which gives the replicas addresses: those of the system, else Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

PATH=$PATH:/usr/sbin:/sbin
missing=()
have haproxy || missing+=(haproxy)
have ip || missing+=(iproute2)
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
