#!/usr/bin/env bash
# pydantic-deep-patch 0.1.0 (PyPI): patches that move, copy, or name a key with a tilde.
#
# One would guess: apply_patch() applies the examples of RFC 6902: it says that it applies "an RFC 6902 JSON Patch".
# Seen: move (A.6) and copy do nothing, without an error; "test" of an item of a list (A.8) raises AttributeError;
# and `/~01`, the key "~1" (A.14), is read as "/": ~0 is replaced before ~1, where RFC 6901 (4) asks for the other
# order.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages pydantic-deep-patch==0.1.0 pydantic==2.14.4 2>/dev/null
cat > probe.py <<'PYTHON'
import json

from pydantic import BaseModel
from pydantic_deep_patch import PatchOp, apply_patch


class Document(BaseModel):
    labels: dict[str, int]
    names: list[str] = []


document = Document(labels={"a": 1, "~1": 10, "/": 9}, names=["web"])
for patch in [
    [{"op": "replace", "path": "/labels/a", "value": 2}],
    [{"op": "move", "from": "/labels/a", "path": "/labels/b"}],
    [{"op": "copy", "from": "/labels/a", "path": "/labels/b"}],
    [{"op": "test", "path": "/names/0", "value": "web"}],
    [{"op": "test", "path": "/labels/~01", "value": 10}],
]:
    try:
        answer = apply_patch(document, [PatchOp(**operation) for operation in patch]).model_dump_json()
    except (AttributeError, ValueError) as error:
        answer = f"{type(error).__name__}: {error}"
    print(json.dumps(patch[0]), "->", answer)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
{"op": "replace", "path": "/labels/a", "value": 2} -> {"labels":{"a":2,"~1":10,"/":9},"names":["web"]}
{"op": "move", "from": "/labels/a", "path": "/labels/b"} -> {"labels":{"a":1,"~1":10,"/":9},"names":["web"]}
{"op": "copy", "from": "/labels/a", "path": "/labels/b"} -> {"labels":{"a":1,"~1":10,"/":9},"names":["web"]}
{"op": "test", "path": "/names/0", "value": "web"} -> AttributeError: 'list' object has no attribute 'get'
{"op": "test", "path": "/labels/~01", "value": 10} -> ValueError: Test failed at path '/labels/~01': expected 10, got None
TEXT
