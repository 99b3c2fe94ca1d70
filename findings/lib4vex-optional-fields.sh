#!/usr/bin/env bash
# lib4vex 0.2.3 (PyPI): an OpenVEX document without optional fields cannot be read.
#
# One would guess: the parser reads documents of OpenVEX 0.2.0 with the fields that it requires: the author's `role`
# and a statement's own `timestamp` are optional, and a statement without one has that of the document (the
# specification, "Inheritance Flow"). A product may have any IRI as its @id.
# Seen: KeyError: 'role'; with a role, KeyError: 'timestamp'; with both, an @id that is not a package URL is an error.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages lib4vex==0.2.3
cat > probe.py <<'PYTHON'
import json
import pathlib

from lib4vex.parser import VEXParser

statement = {
    "vulnerability": {"name": "CVE-2026-0001"},
    "products": [{"@id": "pkg:oci/web"}],
    "status": "not_affected",
    "justification": "vulnerable_code_not_in_execute_path",
}
document = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.com/vex",
    "author": "Example",
    "timestamp": "2026-11-29T14:00:00Z",
    "version": 1,
    "statements": [statement],
}
product = {"@id": "https://example.com/web", "identifiers": {"purl": "pkg:oci/web"}}
for name, change in {
    "minimal": {},
    "with a role": {"role": "vendor"},
    "and a moment": {"statements": [statement | {"timestamp": "2026-11-29T14:00:00Z"}]},
    "and an address": {"statements": [statement | {"timestamp": "2026-11-29T14:00:00Z", "products": [product]}]},
}.items():
    document |= change
    pathlib.Path("openvex.json").write_text(json.dumps(document))
    parser = VEXParser(vex_type="openvex")
    try:
        parser.parse("openvex.json")
        print(name, "->", [each["id"] for each in parser.get_vulnerabilities()])
    except Exception as error:
        print(name, "->", type(error).__name__, error)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
minimal -> KeyError 'role'
with a role -> KeyError 'timestamp'
and a moment -> ['CVE-2026-0001']
and an address -> ValueError purl is missing the required "pkg" scheme component: 'https://example.com/web'.
TEXT
