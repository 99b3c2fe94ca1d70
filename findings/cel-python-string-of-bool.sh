#!/usr/bin/env bash
# cel-python 0.5.0 (PyPI) and the text of a boolean.
#
# One would guess: string(true) is "true" (CEL language definition, "List of Standard Definitions": the
# conversion of a bool to string; cel-go, @bufbuild/cel and Kubernetes give that).
# Seen: "True" and "False", Python's own words. A validation's messageExpression, or a label made of a
# boolean, then differs from what an API server writes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages cel-python==0.5.0 2>/dev/null
cat > probe.py <<'PYTHON'
import celpy
from celpy.adapter import json_to_cel

environment = celpy.Environment()
for expression in ("string(true)", "string(false)", "'ready: ' + string(object.ready)"):
    value = environment.program(environment.compile(expression)).evaluate(
        {"object": json_to_cel({"ready": True})})
    print(f"{expression}: {str(value)}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee seen
diff - seen <<'SEEN'
string(true): True
string(false): False
'ready: ' + string(object.ready): ready: True
SEEN
