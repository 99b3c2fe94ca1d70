#!/usr/bin/env bash
# cel-python 0.5.0 (PyPI) and the comparison of values of different types.
#
# One would guess: `a == b` of a whole number and a text is false, and `!=` true, where the types are
# known at run time only, as in all data from JSON; 1 == 1.0 is true (CEL language definition, "Equality").
# Seen: each is an error, "found no matching overload". A field of type int-or-string, or one that is
# null, cannot be compared. @bufbuild/cel 0.6.1 (npm) compares them all.
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
data = {"object": json_to_cel({"number": 1, "double": 1.0, "text": "1", "nothing": None})}
for right in ("text", "nothing", "double"):
    for operator in ("==", "!="):
        expression = f"object.number {operator} object.{right}"
        try:
            print(f"{expression}: {environment.program(environment.compile(expression)).evaluate(data)}")
        except celpy.CELEvalError as error:
            print(f"{expression}: {error.args[0].split(' for ')[0]}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee seen
[ "$(grep -c ': found no matching overload$' seen)" -eq 6 ]
