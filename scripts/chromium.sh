#!/usr/bin/env bash
# Makes sure that Chromium and its driver are there for the test of the report's page: those of the
# system, else Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

if ! have chromium || ! have chromedriver; then
    install_packages chromium chromium-driver fonts-dejavu-core
fi
