#!/usr/bin/env bash
# json-merge-patch 0.3.0 and pyjsonpatch 0.1.3 (PyPI): true is the same as 1.
#
# One would guess: the merge patch between 1 and true sets true (RFC 7386: the patch describes the change), and a JSON
# patch's test of 1 against true fails: values are equal only if they have the same type (RFC 6902, 4.6).
# Seen: the merge patch is empty, so that a manifest with 1 or 0 for a boolean, which servers refuse, is never corrected;
# the test passes. Both compare as Python does, in which True equals 1; jsonpatch 1.47 tells them apart.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages json-merge-patch==0.3.0 pyjsonpatch==0.1.3 jsonpatch==1.47 2>/dev/null
cat > probe.py <<'PYTHON'
import json_merge_patch
import jsonpatch
import pyjsonpatch

for before, after in [(1, 2), (1, "1"), (1, True), (0, False)]:
    patch = json_merge_patch.create_patch({"hostProcess": before}, {"hostProcess": after})
    print("json-merge-patch from", before, "to", repr(after), patch)
for name, apply in [("pyjsonpatch", pyjsonpatch.apply_patch), ("jsonpatch", jsonpatch.apply_patch)]:
    try:
        apply({"hostProcess": True}, [{"op": "test", "path": "/hostProcess", "value": 1}])
        print(name, "true is 1")
    except Exception as error:
        print(name, type(error).__name__)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
json-merge-patch from 1 to 2 {'hostProcess': 2}
json-merge-patch from 1 to '1' {'hostProcess': '1'}
json-merge-patch from 1 to True {}
json-merge-patch from 0 to False {}
pyjsonpatch true is 1
jsonpatch JsonPatchTestFailed
TEXT
