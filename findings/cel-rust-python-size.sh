#!/usr/bin/env bash
# common-expression-language 0.10.0 (PyPI) and the size of a string.
#
# One would guess: size() of a string is its number of code points (CEL language definition, "List of
# Standard Definitions"), so "é" has size 1, and a rule that limits a name to so many characters gives
# in a test what an API server gives.
# Seen: the number of bytes of its UTF-8: 2. cel-python 0.5.0 (PyPI) gives 1.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages cel-python==0.5.0 common-expression-language==0.10.0 2>/dev/null
cat > probe.py <<'PYTHON'
import cel
import celpy
from celpy.adapter import json_to_cel

expression = "name.size()"
print("common-expression-language:", cel.evaluate(expression, {"name": "é"}))
environment = celpy.Environment()
program = environment.program(environment.compile(expression))
print("cel-python:", program.evaluate({"name": json_to_cel("é")}))
PYTHON
PYTHONPATH=packages PYTHONIOENCODING=utf-8 python3 probe.py | tee seen
diff - seen <<'SEEN'
common-expression-language: 2
cel-python: 1
SEEN
