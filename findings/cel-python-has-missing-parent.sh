#!/usr/bin/env bash
# cel-python 0.5.0 (PyPI) and has() of a field below one that is missing.
#
# One would guess: has(a.b.c) asks for c alone, so it is an error if a has no b ("no such key: b": CEL
# language definition, "Field Selection"); a test of a match condition with this package then finds
# the has() that the condition lacks. An API server refuses the request for such an error under
# failurePolicy Fail (Kubernetes documentation, "Matching requests: matchConditions").
# Seen: the answer is false. With cel-js 8.0.0 of @marcbachmann (npm) it is the error.
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
condition = "has(object.spec.securityContext.windowsOptions)"
pod = json_to_cel({"spec": {"containers": []}})
print(environment.program(environment.compile(condition)).evaluate({"object": pod}))
PYTHON
npm install --silent --no-audit --no-fund @marcbachmann/cel-js@8.0.0 >/dev/null
cat > probe.mjs <<'JAVASCRIPT'
import {evaluate} from '@marcbachmann/cel-js';

try {
    const object = {spec: {containers: []}};
    console.log(evaluate('has(object.spec.securityContext.windowsOptions)', {object}));
} catch (error) {
    console.log(error.message.split('\n')[0]);
}
JAVASCRIPT

python=$(PYTHONPATH=packages python3 probe.py)
javascript=$(node probe.mjs)
echo "cel-python 0.5.0: $python"
echo "@marcbachmann/cel-js 8.0.0: $javascript"
[ "$python" = False ]
[ "$javascript" = "No such key: securityContext" ]
