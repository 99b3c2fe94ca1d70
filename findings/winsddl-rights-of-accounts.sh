#!/usr/bin/env bash
# winsddl 0.1.1 (PyPI): the descriptor of who may read a managed password is taken for a registry key's.
#
# One would guess: the parser, which names Active Directory among what it supports and finds the kind of
# object by itself (sddl_type "auto"), reads the right RP (0x10) of an entry as "read properties", shows
# the owner BA as the administrators, and shows each entry or fails.
# Seen: the kind is Active Directory only if an entry has an object GUID; the plain entries of
# msDS-GroupMSAMembership are "Unknown" and read as a registry key's: the right to read the password is
# "Notify". An owner that is written as an alias is None, and an entry with a condition (XA) is left out
# without a word.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check winsddl==0.1.1
cat > probe.py <<'PYTHON'
from winsddl import SDDLParser

SID = "S-1-5-21-1-2-3-1104"
for text in [
    f"O:BAD:(A;;RP;;;{SID})",
    f"O:S-1-5-32-544D:(A;;0x10;;;{SID})",
    f"O:BAD:(OA;;RP;e362ed86-b728-0842-b27d-2dea7a9df218;;{SID})",
    "O:BAD:(XA;;RP;;;AU;(Member_of {SID(BA)}))",
]:
    parser = SDDLParser()
    parser.parse(text)
    entries = [entry.basic_rights + entry.advanced_rights for entry in parser.dacl]
    print(text, "->", parser.sddl_type, parser.owner, entries)
PYTHON
venv/bin/python probe.py | tee result
diff result - <<'TEXT'
O:BAD:(A;;RP;;;S-1-5-21-1-2-3-1104) -> Unknown None [['Notify']]
O:S-1-5-32-544D:(A;;0x10;;;S-1-5-21-1-2-3-1104) -> Unknown Administrators (S-1-5-32-544) [['Notify']]
O:BAD:(OA;;RP;e362ed86-b728-0842-b27d-2dea7a9df218;;S-1-5-21-1-2-3-1104) -> ActiveDirectory None [['Read all properties']]
O:BAD:(XA;;RP;;;AU;(Member_of {SID(BA)})) -> Unknown None []
TEXT
