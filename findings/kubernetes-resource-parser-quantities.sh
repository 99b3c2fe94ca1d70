#!/usr/bin/env bash
# kubernetes-resource-parser 0.1.0 (npm): half a gibibyte is no memory, and a thousand CPUs are one.
#
# One would guess: memoryParser and cpuParser read the quantities of a pod: a decimal number and a suffix or an
# exponent (Kubernetes' documentation of Quantity: `0.5Gi`, `1e3`, `1k` and `500000m` are valid for all resources).
# Seen: memoryParser reads whole digits only, and ignores what follows that it does not know: `0.5Gi` is 0
# and `1e3` is 1. A number of milli-bytes, which servers write for fractions, is NaN. cpuParser
# gives 1 for `1k`. Whole numbers with the usual suffixes are right.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" kubernetes-resource-parser@0.1.0 >/dev/null
cat > probe.js <<'JS'
const { cpuParser, memoryParser } = require("kubernetes-resource-parser");
for (const text of ["128Mi", "0.5Gi", "1.5Gi", "1e3", "500000m"]) console.log("memory", text, memoryParser(text));
for (const text of ["100m", "0.5", "1e3", "1k"]) console.log("cpu", text, cpuParser(text));
JS
node probe.js | tee result
diff result - <<'TEXT'
memory 128Mi 134217728
memory 0.5Gi 0
memory 1.5Gi 1
memory 1e3 1
memory 500000m NaN
cpu 100m 0.1
cpu 0.5 0.5
cpu 1e3 1000
cpu 1k 1
TEXT
