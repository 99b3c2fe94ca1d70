#!/usr/bin/env bash
# ldaptor 21.2.0 (PyPI): LDIF with the line ends of Windows has no entries.
#
# One would guess: LDIF as ldifde writes it is read (RFC 2849: the end of a line is CR LF or LF).
# Seen: only a line feed ends a line, so that the empty line after an entry is a carriage return, and refused:
# LDIFLineWithoutSemicolonError. No entry is given. The same text with line feeds gives both.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages ldaptor==21.2.0
cat > probe.py <<'PYTHON'
from ldaptor.protocols.ldap import ldifprotocol


class Reader(ldifprotocol.LDIF):
    def __init__(self):
        self.names = []

    def gotEntry(self, entry):
        self.names.append(entry.dn.getText())


TEXT = "dn: CN=web,DC=x\ncn: web\n\ndn: CN=shop,DC=x\ncn: shop\n\n"
for title, text in [("LF", TEXT), ("CR LF", TEXT.replace("\n", "\r\n"))]:
    reader = Reader()
    try:
        reader.dataReceived(text.encode())
        reader.connectionLost()
        print(title, reader.names)
    except ldifprotocol.LDIFParseError as error:
        print(title, reader.names, type(error).__name__)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
LF ['CN=web,DC=x', 'CN=shop,DC=x']
CR LF [] LDIFLineWithoutSemicolonError
TEXT
