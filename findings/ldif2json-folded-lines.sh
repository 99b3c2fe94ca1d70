#!/usr/bin/env bash
# ldif2json 1.0.8 (PyPI): a line that is folded is cut where it is folded.
#
# One would guess: lines that begin with a space continue the one before (RFC 2849, note 2), as ldapsearch,
# ldbsearch and ldifde write every value that is longer than 76 or so characters.
# Seen: the rest of the value is dropped, without an error: the distinguished name of a group and its objectSid in
# base64 end at the fold; and a continuation that has a colon and a space becomes an attribute of its own.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages ldif2json==1.0.8
cat > probe.py <<'PYTHON'
import ldif2json

TEXT = """dn: CN=web,CN=Managed Service Accounts,DC=contoso,DC=com
memberOf: CN=Servers of the shop that may fetch the password,OU=Groups,OU=Europe,
 DC=contoso,DC=com
description: see the page about service accounts in the handbook for the meaning
  of it: shop
"""
(entry,) = ldif2json.parse_ldif(TEXT.splitlines(keepends=True))
for name, value in entry.items():
    print(f"{name}: {value}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
dn: CN=web,CN=Managed Service Accounts,DC=contoso,DC=com
memberOf: CN=Servers of the shop that may fetch the password,OU=Groups,OU=Europe,
description: see the page about service accounts in the handbook for the meaning
of it: shop
TEXT
