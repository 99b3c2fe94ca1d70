#!/usr/bin/env bash
# ldap3 2.9.1 (PyPI) and the distinguished names that RFC 4514 gives as examples.
#
# One would guess: parse_dn() reads the examples of RFC 4514, section 4, and gives the values: "James "Jim" Smith,
# III" for `CN=James \"Jim\" Smith\, III`.
# Seen: the one in dotted form, `1.3.6.1.4.1.1466.0=#04024869`, is refused for the dots of its type and the
# form of its value; so is `CN=a=b`, in which nothing has to be escaped. Values come back as they were
# written, backslashes and all: the common name of an account is not the one that the directory has.
# ldapjs 3.0.7 (npm) accepts them all.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages ldap3==2.9.1 2>/dev/null
cat > probe.py <<'PYTHON'
from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.dn import parse_dn

for name in (
    r"UID=jsmith,DC=example",
    r"OU=Sales+CN=J.  Smith,DC=example",
    r"CN=James \"Jim\" Smith\, III,DC=example",
    r"CN=Before\0dAfter,DC=example",
    r"1.3.6.1.4.1.1466.0=#04024869",
    r"CN=Lu\C4\8Di\C4\87",
    r"CN=a=b,DC=example",
):
    try:
        print(f"{name}: {parse_dn(name)[0][1]}")
    except LDAPInvalidDnError as error:
        print(f"{name}: {error}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee seen
diff - seen <<'SEEN'
UID=jsmith,DC=example: jsmith
OU=Sales+CN=J.  Smith,DC=example: Sales
CN=James \"Jim\" Smith\, III,DC=example: James \"Jim\" Smith\, III
CN=Before\0dAfter,DC=example: Before\0dAfter
1.3.6.1.4.1.1466.0=#04024869: character '.' not allowed in attribute type
CN=Lu\C4\8Di\C4\87: Lu\C4\8Di\C4\87
CN=a=b,DC=example: special character = must be escaped
SEEN
