#!/usr/bin/env bash
# ldap-filter 1.0.1 (PyPI): the spaces of one value are put into another.
#
# One would guess: a filter that is parsed and written again asks for the same values (RFC 4515 3: spaces in a value
# count).
# Seen: where two values differ by spaces only, both get the spaces of one: a filter for `web shop` or `webshop`
# becomes one that has `web shop` twice. A value that is a part of another one changes it too: beside the unit
# `web shop`, the description `the webshops` becomes `theweb shops`.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages ldap-filter==1.0.1
cat > probe.py <<'PYTHON'
from ldap_filter import Filter

for text in ["(cn=web shop)", "(|(cn=web shop)(cn=webshop))", "(&(ou=web shop)(description=the webshops))"]:
    print(text, "->", Filter.parse(text).to_string())
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
(cn=web shop) -> (cn=web shop)
(|(cn=web shop)(cn=webshop)) -> (|(cn=web shop)(cn=web shop))
(&(ou=web shop)(description=the webshops)) -> (&(ou=web shop)(description=theweb shops))
TEXT
