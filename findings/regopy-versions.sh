#!/usr/bin/env bash
# regopy 1.5.2 (PyPI, the interpreter rego-cpp): semver.compare compares the text of versions.
#
# One would guess: a policy that asks for Kubernetes 1.9 or later lets 1.28 pass: numbers are compared as numbers
# (Semantic Versioning 2.0.0, 11.2), numeric identifiers of a pre-release too (11.4.1), and build metadata counts for
# nothing (10).
# Seen: 1.28.0 is less than 1.9.0, alpha.10 less than alpha.9, and +a less than +b. opa-eval 0.1.1, which runs
# regorus, answers as the standard says.
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


for pair in ['"1.28.0", "1.9.0"', '"1.0.0-alpha.10", "1.0.0-alpha.9"', '"1.28.0+a", "1.28.0+b"']:
    expression = f"semver.compare({pair})"
    print(f"{expression}: regopy {regopy(expression)}, opa-eval {regorus(expression)}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
semver.compare("1.28.0", "1.9.0"): regopy -1, opa-eval 1
semver.compare("1.0.0-alpha.10", "1.0.0-alpha.9"): regopy -1, opa-eval 1
semver.compare("1.28.0+a", "1.28.0+b"): regopy -1, opa-eval 0
TEXT
