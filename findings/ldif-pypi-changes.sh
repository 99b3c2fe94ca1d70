#!/usr/bin/env bash
# ldif 4.3.0 (PyPI): it writes changes that it cannot read.
#
# One would guess: what LDIFWriter writes, LDIFParser reads: its documentation says that it generates and
# parses LDIF of RFC 2849, which has changes.
# Seen: the line with a minus sign that ends each modification (RFC 2849: mod-spec) is an error of the
# parser, "subsection not found". A change that adds an entry is read as an entry with an attribute changetype.
# A space at the end of a value is written as it is, and cut off when it is read.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages ldif==4.3.0
cat > probe.py <<'PYTHON'
import io

import ldif


def written_and_read(record):
    file = io.BytesIO()
    ldif.LDIFWriter(file).unparse("CN=web,DC=contoso,DC=com", record)
    try:
        ((_, entry),) = ldif.LDIFParser(io.BytesIO(file.getvalue())).parse()
        return dict(entry)
    except ValueError as error:
        return f"refused: {error}"


print("an entry:", written_and_read({"cn": ["web"]}))
print("one to add:", written_and_read([("cn", ["web"])]))
print("a change:", written_and_read([(2, "servicePrincipalName", ["http/web"])]))
print("a space at the end:", written_and_read({"description": ["web "]}))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
an entry: {'cn': ['web']}
one to add: {'changetype': ['add'], 'cn': ['web']}
a change: refused: subsection not found
a space at the end: {'description': ['web']}
TEXT
