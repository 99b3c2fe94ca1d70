#!/usr/bin/env bash
# cel-python 0.5.0 (PyPI) and the sum of a double and an int.
#
# One would guess: `1.5 + 1` is an error, "no such overload": CEL converts no numbers by itself (CEL
# language definition, "Values"), and an API server refuses a policy that adds the two.
# Seen: 2.5, even for a double of the data; what comes back is a float of Python and no value of CEL.
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
data = {"object": json_to_cel({"share": 1.5})}
for expression in ("1.5 + 1", "object.share + 1", "object.share * 2"):
    value = environment.program(environment.compile(expression)).evaluate(data)
    print(f"{expression}: {type(value).__name__} {float(value)}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee seen
diff - seen <<'SEEN'
1.5 + 1: float 2.5
object.share + 1: float 2.5
object.share * 2: float 3.0
SEEN
