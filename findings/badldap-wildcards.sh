#!/usr/bin/env bash
# badldap 0.7.7 (PyPI): a wildcard inside a value is searched for as an asterisk.
#
# One would guess: `(cn=HTTP/*.contoso.com)` is a substring filter with a beginning and an end, and
# `*` may stand between several parts (RFC 4515 3: substring).
# Seen: it is sent as an equality with the text `HTTP/*.contoso.com`, which finds nothing; between two outer asterisks
# another one is a part of the text too. Only a wildcard at the start, at the end or at both is one. The escaped \2a
# gives the same bytes as the wildcard.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages badldap==0.7.7 2>/dev/null
cat > probe.py <<'PYTHON'
from badldap.protocol.query import query_syntax_converter

for text in ["(cn=web*)", "(cn=*web*)", "(cn=HTTP/*.contoso.com)", r"(cn=HTTP/\2a.contoso.com)", "(cn=*web*shop*)"]:
    print(text, query_syntax_converter(text).native)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
(cn=web*) OrderedDict([('type', b'cn'), ('substrings', [b'web'])])
(cn=*web*) OrderedDict([('type', b'cn'), ('substrings', [b'web'])])
(cn=HTTP/*.contoso.com) OrderedDict([('attributeDesc', b'cn'), ('assertionValue', b'HTTP/*.contoso.com')])
(cn=HTTP/\2a.contoso.com) OrderedDict([('attributeDesc', b'cn'), ('assertionValue', b'HTTP/*.contoso.com')])
(cn=*web*shop*) OrderedDict([('type', b'cn'), ('substrings', [b'web*shop'])])
TEXT
