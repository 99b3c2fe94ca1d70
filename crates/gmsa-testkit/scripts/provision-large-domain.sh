#!/usr/bin/env bash
# Provisions the second realm of the tests into the directory given: its NetBIOS name differs from its
# first DNS label, and it is large. Called by scripts/domain-controller.sh; takes some minutes, once.
set -euo pipefail

out=${1:?usage: provision-large-domain.sh DIRECTORY}
# shellcheck source=crates/gmsa-testkit/scripts/provision.sh
. "$(dirname "$0")/provision.sh"
provision "$out" CORP.FABRIKAM.EXAMPLE FABRI dcx S-1-5-21-3111111111-1555555555-2666666666 \
    66666666-7777-8888-9999-aaaaaaaaaaaa
/usr/bin/python3 "$(dirname "$0")/populate-large-domain.py" "$conf" "$dc/private/sam.ldb"
