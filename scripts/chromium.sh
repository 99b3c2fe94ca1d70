#!/usr/bin/env bash
# Makes sure that Chromium and its driver are there for the test of the report's page: those of the
# system, else Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

if ! have chromium || ! have chromedriver; then
    have apt-get || die "chromium and chromedriver are missing"
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    say "installing chromium"
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
        chromium chromium-driver fonts-dejavu-core >/dev/null
fi
