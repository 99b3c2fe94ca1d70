#!/usr/bin/env bash
# cel-python 0.5.0 (PyPI) and the macro map() with a condition.
#
# One would guess: list.map(x, condition, expression) maps the elements that fulfil the condition, as the
# CEL language definition says ("Macros"); admission policies use it to build the text of a message.
# Seen: a ValueError of Python, "too many values to unpack (expected 2)", where
# common-expression-language 0.10.0 (PyPI) gives [4, 6].
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages cel-python==0.5.0 common-expression-language==0.10.0 2>/dev/null
cat > probe.py <<'PYTHON'
import cel
import celpy

expression = "[1, 2, 3].map(x, x > 1, x * 2)"
print("common-expression-language:", cel.evaluate(expression, {}))
environment = celpy.Environment()
try:
    print("cel-python:", environment.program(environment.compile(expression)).evaluate({}))
except Exception as error:
    print("cel-python:", type(error).__name__, error)
PYTHON
PYTHONPATH=packages python3 probe.py | tee seen
diff - seen <<'SEEN'
common-expression-language: [4, 6]
cel-python: ValueError too many values to unpack (expected 2)
SEEN
