#!/usr/bin/env bash
# kopf 1.45.2 (PyPI): an admission handler cannot add an empty object.
#
# One would guess: `patch.spec["securityContext"] = {}` in a mutating handler adds the empty object: kopf calls its
# patches merge patches (RFC 7386), whose last example adds one, and webhooks have to, before a JSON patch can add a
# field to it.
# Seen: the JSON patch that the API server gets has no operation, and the pod no securityContext; `{"windowsOptions":
# {}}` is dropped too. With something in it, it is added; `json_merge_patch` 0.3.0 (PyPI) adds the empty one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kopf==1.45.2 json-merge-patch==0.3.0 2>/dev/null
cat > probe.py <<'PYTHON'
import copy
import json

import json_merge_patch
import kopf

pod = {"metadata": {"name": "web"}, "spec": {"containers": []}}
for change in [{}, {"windowsOptions": {}}, {"windowsOptions": {"runAsUserName": "web"}}]:
    patch = kopf.Patch(body=kopf.Body(pod))
    patch.spec["securityContext"] = change
    merged = json_merge_patch.merge(copy.deepcopy(pod), {"spec": {"securityContext": change}})
    print("kopf:", json.dumps(patch.as_json_patch()), "merged:", json.dumps(merged["spec"]["securityContext"]))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
kopf: [] merged: {}
kopf: [] merged: {"windowsOptions": {}}
kopf: [{"op": "add", "path": "/spec/securityContext", "value": {"windowsOptions": {"runAsUserName": "web"}}}] merged: {"windowsOptions": {"runAsUserName": "web"}}
TEXT
