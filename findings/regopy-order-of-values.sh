#!/usr/bin/env bash
# regopy 1.5.2 (PyPI, the interpreter rego-cpp): the order of values of different types and of lists.
#
# One would guess: "All values of different types are also comparable": null, booleans, numbers, texts, arrays, in
# that order, and an array before a longer one that it begins (Open Policy Agent, policy reference and ast.Compare).
# Seen: values are ordered by how they are written: `"a" < 1` holds, `[1] < [1, 2]` does not, and sort() puts texts
# before numbers and true last. The items of a set keep the order in which they are written, so concat() of {"b",
# "a"} is "b,a". opa-eval 0.1.1, which runs regorus, answers as documented.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages regopy==1.5.2 opa-eval==0.1.1
cat > probe.py <<'PYTHON'
import json
from pathlib import Path

from opa_eval import OpaEval
from regopy import Interpreter


def regopy(expression: str) -> object:
    return json.loads(str(Interpreter().query(f"answer = {expression}")))["bindings"]["answer"]


def regorus(expression: str) -> object:
    Path("probe.rego").write_text(f"package probe\n\nanswer := {expression}\n")
    return json.loads(OpaEval("probe.rego", query="data.probe.answer").evaluate("{}"))


for expression in ['"a" < 1', "[1] < [1, 2]", 'sort(["b", "A", 1, null, true])', 'concat(",", {"b", "a"})']:
    print(f"{expression}: regopy {regopy(expression)}, opa-eval {regorus(expression)}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
"a" < 1: regopy True, opa-eval False
[1] < [1, 2]: regopy False, opa-eval True
sort(["b", "A", 1, null, true]): regopy ['A', 'b', 1, None, True], opa-eval [None, True, 1, 'A', 'b']
concat(",", {"b", "a"}): regopy b,a, opa-eval a,b
TEXT
