#!/usr/bin/env bash
# msldap 0.5.15 (PyPI): a managed password that has a previous one, and its intervals.
#
# One would guess: MSDS_MANAGEDPASSWORD_BLOB.from_bytes cuts msDS-ManagedPassword ([MS-ADTS] 2.2.19) into its
# fields: the current and the previous password, each of 256 bytes and a terminator, and two numbers of
# 8 bytes, the time until the password changes and the time for which it stays the same.
# Seen: QueryPasswordInterval is empty, always (a difference of an offset and itself); PreviousPassword runs
# on into both numbers, because its length is counted from the current password: 274 bytes instead of
# 258, so that no key that is made of it fits. In the last five minutes of an interval a controller
# takes the previous password alone (seen on Samba 4.22), and this is the one that is needed. Without
# a previous password the current one is right.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check msldap==0.5.15
cat > probe.py <<'PYTHON'
import struct

from msldap.wintypes.managedpassword import MSDS_MANAGEDPASSWORD_BLOB

HEAD, HOUR = 16, 36_000_000_000
CURRENT, PREVIOUS = b"\x11" * 256 + b"\0\0", b"\x22" * 256 + b"\0\0"


def value(previous):
    """As Samba and Windows write it: the numbers follow the passwords at once."""
    passwords = CURRENT + (PREVIOUS if previous else b"")
    end = HEAD + len(passwords)
    before = HEAD + len(CURRENT) if previous else 0
    offsets = struct.pack("<HHIHHHH", 1, 0, end + 16, HEAD, before, end, end + 8)
    return offsets + passwords + struct.pack("<QQ", 2 * HOUR, HOUR)


for previous in (False, True):
    read = MSDS_MANAGEDPASSWORD_BLOB.from_bytes(value(previous))
    kept = read.PreviousPassword
    print("with a previous password:" if previous else "without:")
    print("  current right:", read.CurrentPassword == CURRENT)
    print("  previous:", "none" if kept is None else f"{len(kept)} bytes, right: {kept == PREVIOUS}")
    print("  time until it changes:", read.QueryPasswordInterval)
    print("  time unchanged:", int.from_bytes(read.UnchangedPasswordInterval, "little") // HOUR, "h")
PYTHON
venv/bin/python probe.py | tee result
diff result - <<'TEXT'
without:
  current right: True
  previous: none
  time until it changes: b''
  time unchanged: 1 h
with a previous password:
  current right: True
  previous: 274 bytes, right: False
  time until it changes: b''
  time unchanged: 1 h
TEXT
