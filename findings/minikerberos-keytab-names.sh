#!/usr/bin/env bash
# minikerberos 0.4.9 (PyPI): the key of another account.
#
# One would guess: KerberosCredential.from_keytab with a principal gives that principal's key, or an error.
# Seen: the first entry whose name contains the one that is asked for: for `web$` the key of `intraweb$`, if that
# comes first. For a name that is not in the keytab it gives the first key there is. The logon fails later, for
# a password that seems wrong. Of several encryption types only that of the entry is taken.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages minikerberos==0.4.9
cat > probe.py <<'PYTHON'
import struct

from minikerberos.common.creds import KerberosCredential


def text(value):
    return struct.pack("!H", len(value)) + value.encode()


def entry(name, version, key):
    """One entry of a keytab as MIT writes it: the version as a byte, and as 32 bits at the end."""
    body = struct.pack("!H", 1) + text("CONTOSO.COM") + text(name)
    body += struct.pack("!IIBHH", 1, 1795950000, version & 255, 18, len(key)) + key + struct.pack("!I", version)
    return struct.pack("!i", len(body)) + body


data = b"\x05\x02" + entry("intraweb$", 2, b"\x01" * 32) + entry("web$", 2, b"\x02" * 32)
for name in ["web$", "intraweb$", "shop$"]:
    credential = KerberosCredential.from_keytab_string(data, name, "CONTOSO.COM")
    print(name, credential.kerberos_key_aes_256[:2])
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
web$ 01
intraweb$ 01
shop$ 01
TEXT
