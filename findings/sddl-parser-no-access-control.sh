#!/usr/bin/env bash
# sddl-parser 0.6.2 (PyPI): an ordinary list of access control has the flag NO_ACCESS_CONTROL.
#
# One would guess: only `D:NO_ACCESS_CONTROL` has it, a descriptor without a list, which lets everyone in
# ([MS-DTYP] 2.5.1.1), and `D:(A;;RP;;;SY)`, as every msDS-GroupMSAMembership is written, has no flags.
# Seen: a list without flags is given that flag, so that a report of who may read a managed password says of each
# account that access is not controlled. With another flag (`D:P`, `D:AI`) it is right.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages sddl-parser==0.6.2
cat > probe.py <<'PYTHON'
from sddl_parser import SDDLFlags, parse_sddl

for text in ["D:NO_ACCESS_CONTROL", "D:(A;;RP;;;SY)", "D:P(A;;RP;;;SY)", "D:AI(A;;RP;;;SY)"]:
    flags = parse_sddl(f"O:BAG:BA{text}").dacl.flags
    print(text, sorted(flag.name for flag in flags), SDDLFlags.NO_ACCESS_CONTROL in flags)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
D:NO_ACCESS_CONTROL ['NO_ACCESS_CONTROL'] True
D:(A;;RP;;;SY) ['NO_ACCESS_CONTROL'] True
D:P(A;;RP;;;SY) ['PROTECTED'] False
D:AI(A;;RP;;;SY) ['SDDL_AUTO_INHERITED'] False
TEXT
