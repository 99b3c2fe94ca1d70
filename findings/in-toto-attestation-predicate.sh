#!/usr/bin/env bash
# in-toto-attestation 0.9.3 (PyPI, the bindings of the framework itself): a statement without a predicate.
#
# One would guess: a statement whose predicate is empty or left out is valid: "Unset is treated the same as
# set-but-empty. MAY be omitted if predicateType fully describes the predicate" (in-toto attestation framework,
# Statement v1).
# Seen: validate() raises "Predicate object required" for both; with any member in the predicate the statement is
# valid.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages in-toto-attestation==0.9.3
cat > probe.py <<'PYTHON'
import json

from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

statement = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "web", "digest": {"sha256": "0123456789abcdef" * 4}}],
    "predicateType": "https://registry.local/scanned/v1",
}
for predicate in [{}, {"predicate": {}}, {"predicate": {"scanner": "x"}}]:
    message = json_format.ParseDict({**statement, **predicate}, Message())
    try:
        Statement.copy_from_pb(message).validate()
        answer = "valid"
    except ValueError as error:
        answer = str(error)
    print(json.dumps(predicate), "->", answer)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
{} -> Predicate object required
{"predicate": {}} -> Predicate object required
{"predicate": {"scanner": "x"}} -> valid
TEXT
