#!/usr/bin/env bash
# regopy 1.5.2 (PyPI, the interpreter rego-cpp): object.union() is not recursive.
#
# One would guess: a pod's settings merged over defaults keep the defaults that the pod does not set: object.union is
# "the asymmetric recursive union of two objects" (Open Policy Agent, built-in functions).
# Seen: an object below the first level replaces the other whole, so runAsUserName is gone, and a policy that looks
# for it in the merged object finds nothing. opa-eval 0.1.1, which runs regorus, merges.
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


defaults = '{"windowsOptions": {"runAsUserName": "ContainerUser", "hostProcess": false}}'
pod = '{"windowsOptions": {"gmsaCredentialSpecName": "web"}}'
for name, evaluate in {"regopy": regopy, "opa-eval": regorus}.items():
    print(name, json.dumps(evaluate(f"object.union({defaults}, {pod})"), sort_keys=True))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
regopy {"windowsOptions": {"gmsaCredentialSpecName": "web"}}
opa-eval {"windowsOptions": {"gmsaCredentialSpecName": "web", "hostProcess": false, "runAsUserName": "ContainerUser"}}
TEXT
