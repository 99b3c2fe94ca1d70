#!/usr/bin/env bash
# winacl 0.1.9 (PyPI): the SDDL alias BA becomes an account of the domain.
#
# One would guess: BA is S-1-5-32-544 whatever the domain is ([MS-DTYP] 2.5.1.1; 2.4.2.4 lists
# BUILTIN_ADMINISTRATORS), as the owner of every msDS-GroupMSAMembership that Samba or Windows writes
# (`O:BAD:(A;;RP;;;...)`).
# Seen: SECURITY_DESCRIPTOR.from_sddl refuses `O:BA...` without a domain's SID, and with one it gives
# the SID S-1-5-21-1-2-3-544, which nobody has. The aliases AO, BG, PU and RD are treated alike; BU, of
# the same kind, gives S-1-5-32-545.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages winacl==0.1.9
cat > probe.py <<'PYTHON'
from winacl.dtyp.security_descriptor import SECURITY_DESCRIPTOR
from winacl.dtyp.sid import SID

text = "O:BAD:(A;;RP;;;S-1-5-21-1-2-3-1104)"
try:
    SECURITY_DESCRIPTOR.from_sddl(text)
    print("without a domain: read")
except Exception:
    print("without a domain: refused")
owner = SECURITY_DESCRIPTOR.from_sddl(text, domain_sid="S-1-5-21-1-2-3").Owner
print("with a domain: owner", owner)
for alias in ["AO", "BG", "PU", "RD", "BU"]:
    print(alias, SID.from_sddl(alias, domain_sid="S-1-5-21-1-2-3"))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
without a domain: refused
with a domain: owner S-1-5-21-1-2-3-544
AO S-1-5-21-1-2-3-548
BG S-1-5-21-1-2-3-546
PU S-1-5-21-1-2-3-547
RD S-1-5-21-1-2-3-555
BU S-1-5-32-545
TEXT
