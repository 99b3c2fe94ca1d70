#!/usr/bin/env bash
# ldaptor 21.2.0 (PyPI): the bytes of an escaped umlaut become letters and digits.
#
# One would guess: `CN=J\C3\B6rg` is Jörg (RFC 4514 2.4: a byte may be escaped by two digits in hexadecimal, and
# 4 has this very example, `Lu\C4\8Di\C4\87`), as OpenLDAP writes names.
# Seen: the backslashes are dropped and the digits stay: `JC3B6rg`, the name of another object, without an error.
# Escapes of ASCII, `\23` and `\2C`, are as meant.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages ldaptor==21.2.0
cat > probe.py <<'PYTHON'
from ldaptor.protocols.ldap.distinguishedname import DistinguishedName

for text in [r"CN=J\C3\B6rg,DC=x", r"CN=\23web,DC=x", r"CN=a\2Cb,DC=x"]:
    read = DistinguishedName(text)
    print(text, "->", read.split()[0].split()[0].value, "->", read.getText())
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
CN=J\C3\B6rg,DC=x -> JC3B6rg -> CN=JC3B6rg,DC=x
CN=\23web,DC=x -> #web -> CN=\#web,DC=x
CN=a\2Cb,DC=x -> a,b -> CN=a\,b,DC=x
TEXT
