#!/usr/bin/env bash
# lightkube 1.0.1 (PyPI) and k8s-resource-parser 0.2.2 (npm) refuse the CPU usage that metrics-server reports.
#
# One would guess: the quantities of the metrics API can be read: a container's usage comes as `12345678n`, billionths
# of a CPU, and n and u are suffixes of Kubernetes' Quantity like m and k (apimachinery, resource.Quantity).
# Seen: both libraries know no suffix below m. lightkube also refuses 1E3, an exponent in upper case, which the grammar
# allows.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" k8s-resource-parser@0.2.2 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages lightkube==1.0.1 2>/dev/null
cat > probe.js <<'JS'
const { cpuParser } = require("k8s-resource-parser");
for (const text of ["250m", "12345678n", "100u", "1E3"]) {
  try {
    console.log("k8s-resource-parser", text, cpuParser(text));
  } catch (error) {
    console.log("k8s-resource-parser", text, error.message);
  }
}
JS
cat > probe.py <<'PYTHON'
from lightkube.utils.quantity import parse_quantity

for text in ["250m", "12345678n", "100u", "1E3"]:
    try:
        print("lightkube", text, float(parse_quantity(text)))
    except ValueError as error:
        print("lightkube", text, error)
PYTHON
{
    PYTHONPATH=packages python3 probe.py
    node probe.js
} | tee result
diff result - <<'TEXT'
lightkube 250m 0.25
lightkube 12345678n Invalid unit suffix: n
lightkube 100u Invalid unit suffix: u
lightkube 1E3 Invalid unit suffix: E3
k8s-resource-parser 250m 0.25
k8s-resource-parser 12345678n Invalid quanity provided.
k8s-resource-parser 100u Invalid quanity provided.
k8s-resource-parser 1E3 1000
TEXT
