#!/usr/bin/env bash
# patchdiff 1.0.0 (PyPI): the operation "test" writes.
#
# One would guess: a patch that begins with "test" changes nothing if the value differs (RFC 6902, 4.6 and 5);
# patchdiff's operations are "JSON-patch-compliant", and an operation that it does not know is an error.
# Seen: "test" of a member of an object sets it, and "test" of an item of a list removes it. An operation that RFC
# 6902 does not define counts as a replacement.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages patchdiff==1.0.0
cat > probe.py <<'PYTHON'
import json

from patchdiff import apply
from patchdiff.pointer import Pointer

document = {"kind": "Pod", "names": ["web", "front"]}
for operation in [
    {"op": "replace", "path": "/kind", "value": "Job"},
    {"op": "test", "path": "/kind", "value": "Job"},
    {"op": "test", "path": "/kind", "value": "Pod"},
    {"op": "test", "path": "/names/0", "value": "web"},
]:
    patch = [{**operation, "path": Pointer.from_str(operation["path"])}]
    print(json.dumps(operation), "->", json.dumps(apply(document, patch)))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
{"op": "replace", "path": "/kind", "value": "Job"} -> {"kind": "Job", "names": ["web", "front"]}
{"op": "test", "path": "/kind", "value": "Job"} -> {"kind": "Job", "names": ["web", "front"]}
{"op": "test", "path": "/kind", "value": "Pod"} -> {"kind": "Pod", "names": ["web", "front"]}
{"op": "test", "path": "/names/0", "value": "web"} -> {"kind": "Pod", "names": ["front"]}
TEXT
