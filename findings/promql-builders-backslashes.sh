#!/usr/bin/env bash
# promql-builder 0.0.6 and pangolier 0.4.2 (PyPI): a label whose value is an account of Windows.
#
# One would guess: the value `CORP\web$` is written with two backslashes: "In single or double quotes a backslash
# begins an escape sequence", and \w is none (Prometheus, "String literals").
# Seen: both write it as it is, a query that Prometheus refuses; with the account `CORP\nina` it is a query for
# another value, a line feed in the middle. promcraft 0.6.2 escapes it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages promql-builder==0.0.6 pangolier==0.4.2 promcraft==0.6.2
cat > probe.py <<'PYTHON'
from pangolier.metrics import Metric
from promcraft import InstantVector, Label
from promql_builder.builders.promql import vector

for account in [r"CORP\web$", r"CORP\nina"]:
    print(account)
    print("  promql-builder", vector("up").label("account", account).build())
    print("  pangolier     ", Metric("up").filter(account=account).to_str())
    print("  promcraft     ", InstantVector("up", [Label.eq("account", account)]))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
CORP\web$
  promql-builder up{account="CORP\web$"}
  pangolier      up{account="CORP\web$"}
  promcraft      up{ account = "CORP\\web$" }
CORP\nina
  promql-builder up{account="CORP\nina"}
  pangolier      up{account="CORP\nina"}
  promcraft      up{ account = "CORP\\nina" }
TEXT
