#!/usr/bin/env bash
# minikerberos 0.4.9 (PyPI): the entries of a keytab after a deleted one are not read.
#
# One would guess: all that `klist -k` lists. MIT's format of keytabs says that a negative length is a hole of
# that size; krb5_kt_remove_entry, as of kadmin's ktremove, leaves one where an old key was.
# Seen: the bytes of the hole are not skipped. As they are zeros, the next length is 0, which ends the list: of
# a keytab whose second entry was deleted only the first is read, without an error, and the new key is missed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages minikerberos==0.4.9
cat > probe.py <<'PYTHON'
import struct

from minikerberos.common.keytab import Keytab


def text(value):
    return struct.pack("!H", len(value)) + value.encode()


def entry(name, version, key):
    """One entry of a keytab as MIT writes it: the version as a byte, and as 32 bits at the end."""
    body = struct.pack("!H", 1) + text("CONTOSO.COM") + text(name)
    body += struct.pack("!IIBHH", 1, 1795950000, version & 255, 18, len(key)) + key + struct.pack("!I", version)
    return struct.pack("!i", len(body)) + body


old, new = entry("web$", 2, bytes(32)), entry("web$", 4, bytes(32))
hole = struct.pack("!i", -80) + bytes(80)
for title, data in [("without a hole", old + new), ("with a hole", old + hole + new)]:
    entries = Keytab.from_bytes(b"\x05\x02" + data).entries
    print(f"{title}: versions", [entry.key_version for entry in entries])
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
without a hole: versions [2, 4]
with a hole: versions [2]
TEXT
