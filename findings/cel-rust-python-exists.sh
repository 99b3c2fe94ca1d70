#!/usr/bin/env bash
# common-expression-language 0.10.0 (PyPI) and exists() over elements of which some lack the field.
#
# One would guess: exists() is the "or" of its elements, and "or" absorbs an error on one side if the
# other is true (CEL language definition, "Logical Operators" and "Macros"), so a list with one container
# that fulfils the condition gives true, whatever the others lack.
# Seen: a KeyError if the element without the field comes first, and true if it comes last; all() does
# the same with a false. cel-python 0.5.0 (PyPI) gives true for both.
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

expression = "containers.exists(c, c.securityContext.privileged)"
plain, privileged = {"name": "a"}, {"name": "b", "securityContext": {"privileged": True}}


def rust(containers):
    return cel.evaluate(expression, {"containers": containers})


def python(containers):
    environment = celpy.Environment()
    program = environment.program(environment.compile(expression))
    return program.evaluate({"containers": json_to_cel(containers)})


for name, evaluate in [("common-expression-language", rust), ("cel-python", python)]:
    for order in [[privileged, plain], [plain, privileged]]:
        first = order[0]["name"]
        try:
            print(f"{name}, {first} first: {evaluate(order)}")
        except Exception as error:
            print(f"{name}, {first} first: {type(error).__name__} {error}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee seen
diff - seen <<'SEEN'
common-expression-language, b first: True
common-expression-language, a first: KeyError 'securityContext'
cel-python, b first: True
cel-python, a first: True
SEEN
