#!/usr/bin/env bash
# sddl-parser 0.6.2 (PyPI): who may write group policies becomes an administrator of the domain.
#
# One would guess: DA and PA are two groups, Domain Admins (relative identifier 512) and Group Policy Creator
# Owners (520) ([MS-DTYP] 2.5.1.1), and a report shows which of them has a right.
# Seen: both are one member of its enumeration, DOMAIN_ADMINISTRATORS, whose value names a third group,
# RMS__SERVICE_OPERATORS: members of an enumeration that share a value are one in Python.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages sddl-parser==0.6.2
cat > probe.py <<'PYTHON'
from sddl_parser import parse_sddl

for alias in ["DA", "DU", "EA", "PA"]:
    (entry,) = parse_sddl(f"O:BAG:BAD:(A;;RP;;;{alias})").dacl.aces
    print(alias, entry.sid.name, entry.sid.value)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
DA DOMAIN_ADMINISTRATORS RMS__SERVICE_OPERATORS
DU DOMAIN_USERS S-1-5-21-DOMAIN-513
EA ENTERPRISE_ADMINS S-1-5-21-DOMAIN-519
PA DOMAIN_ADMINISTRATORS RMS__SERVICE_OPERATORS
TEXT
