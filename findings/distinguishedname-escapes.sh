#!/usr/bin/env bash
# distinguishedname 1.0.2 (PyPI): an escaped number sign or space is dropped, and no umlaut can be written.
#
# One would guess: `CN=\#web` has the value `#web`, and `CN=web\ ` one with a space at the end (RFC 2253 3 and
# RFC 4514 3 have both among what may follow a backslash), and every name that is read can be written.
# Seen: string_to_dn drops both, so that the name is that of another object, `CN=web`, without an error; the
# number `\23` in hexadecimal is read as meant. dn_to_string raises TypeError for `CN=Jörg`.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages distinguishedname==1.0.2
cat > probe.py <<'PYTHON'
from distinguishedname import dn_to_string, string_to_dn

for text in [r"CN=\#web,DC=x", r"CN=\23web,DC=x", r"CN=web\ ,DC=x", "CN=Jörg,DC=x"]:
    read = string_to_dn(text)
    try:
        print(text, "->", read[0], "->", dn_to_string(read))
    except TypeError as error:
        print(text, "->", read[0], "->", error)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
CN=\#web,DC=x -> ['CN=web'] -> CN=web,DC=x
CN=\23web,DC=x -> ['CN=#web'] -> CN=#web,DC=x
CN=web\ ,DC=x -> ['CN=web'] -> CN=web,DC=x
CN=Jörg,DC=x -> ['CN=Jörg'] -> not all arguments converted during string formatting
TEXT
