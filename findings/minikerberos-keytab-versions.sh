#!/usr/bin/env bash
# minikerberos 0.4.9 (PyPI): key versions above 255.
#
# One would guess: a keytab whose entry has version 300 is read so, as `klist -k` shows it. MIT's format of keytabs
# has the version as a byte, and as 32 bits at the end of the entry, which count if they are there.
# Seen: the version is 44, the low byte, the 32 bits at the end are dropped when the keytab is written again,
# and an entry made with version 300 cannot be written: OverflowError. A read-only controller's keys have versions
# above 65536 ([MS-KILE] 3.1.5.8).
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


data = b"\x05\x02" + entry("web$", 300, bytes(32))
keytab = Keytab.from_bytes(data)
print("version", keytab.entries[0].key_version)
print("bytes", len(data), "written again", len(keytab.to_bytes()))
keytab.entries[0].key_version = 300
try:
    keytab.to_bytes()
except OverflowError as error:
    print("version 300:", error)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
version 44
bytes 76 written again 72
version 300: int too big to convert
TEXT
