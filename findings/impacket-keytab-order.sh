#!/usr/bin/env bash
# impacket 0.13.1 (PyPI): the key of a keytab depends on its order, not on the versions.
#
# One would guess: the entry with the highest version, as MIT's krb5_kt_get_entry and `kinit -k` take it: a keytab
# keeps old keys so that tickets that were issued for them stay valid (gmsad and adcli write such keytabs).
# Seen: getKey gives the last entry of the name where no encryption type is asked for, and the first where one is:
# of a keytab with versions 2 and 3 in that order the old key, with which a logon fails.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages impacket==0.13.1
cat > probe.py <<'PYTHON'
import struct

from impacket.krb5.keytab import Keytab


def text(value):
    return struct.pack("!H", len(value)) + value.encode()


def entry(name, version, key):
    """One entry of a keytab as MIT writes it: the version as a byte, and as 32 bits at the end."""
    body = struct.pack("!H", 1) + text("CONTOSO.COM") + text(name)
    body += struct.pack("!IIBHH", 1, 1795950000, version & 255, 18, len(key)) + key + struct.pack("!I", version)
    return struct.pack("!i", len(body)) + body


old, new = entry("web$", 2, b"\x02" * 32), entry("web$", 3, b"\x03" * 32)
for title, data in [("2, 3", old + new), ("3, 2", new + old)]:
    keytab = Keytab(b"\x05\x02" + data)
    print("versions", [entry.kvno for entry in keytab.entries])
    print("  any type: key of version", keytab.getKey("web$").hexlifiedValue()[:2].decode())
    print("  AES-256: key of version", keytab.getKey("web$", 18).hexlifiedValue()[:2].decode())
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
versions [2, 3]
  any type: key of version 03
  AES-256: key of version 02
versions [3, 2]
  any type: key of version 02
  AES-256: key of version 03
TEXT
