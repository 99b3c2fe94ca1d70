#!/usr/bin/env bash
# gmsad 0.2.1 (PyPI): the salt that it makes for a gMSA keeps the case of the account's name.
#
# One would guess: `gMSA_salt_from_heuristic` gives the salt of [MS-KILE] 3.1.1.2, whose host part is
# the account's name in lower case, so WebApp1$ in EXAMPLE.ORG has EXAMPLE.ORGhostwebapp1.example.org.
# Seen: EXAMPLE.ORGhostWebApp1.example.org; only the domain's case is changed. The AES keys of a keytab
# made with it are those of another salt: no ticket for the account can be decrypted with them. A name
# that is in lower case already gives the right salt.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages gmsad==0.2.1
cat > probe.py <<'PYTHON'
from gmsad.enctypes import aes256_cts_hmac_sha1_96_string_to_key as key
from gmsad.salt import get_salt_from_heuristic

made = get_salt_from_heuristic("WebApp1$", "example.org")
right = "EXAMPLE.ORGhostwebapp1.example.org"
print("WebApp1$:", made)
print("the same key:", key(b"password", made.encode()) == key(b"password", right.encode()))
print("webapp1$:", get_salt_from_heuristic("webapp1$", "example.org"))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
WebApp1$: EXAMPLE.ORGhostWebApp1.example.org
the same key: False
webapp1$: EXAMPLE.ORGhostwebapp1.example.org
TEXT
