#!/usr/bin/env bash
# parse-prometheus-text-format 1.1.1 (npm): histograms and summaries with labels.
#
# One would guess: a histogram with a label, such as the response code, is read as one series for each value of it,
# as a counter is: "Each metric is uniquely identified by its name and labels" (Prometheus, data model).
# Seen: all series of a histogram or summary become one without labels: the buckets are those of the last series, and
# sum and count are missing. Here 42 answers of code 200 are gone, and two of code 403 are left.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" parse-prometheus-text-format@1.1.1 >/dev/null
cat > metrics <<'TEXT'
# TYPE answers_total counter
answers_total{code="200"} 42
answers_total{code="403"} 2
# TYPE answer_seconds histogram
answer_seconds_bucket{code="200",le="0.1"} 40
answer_seconds_bucket{code="200",le="+Inf"} 42
answer_seconds_sum{code="200"} 1.5
answer_seconds_count{code="200"} 42
answer_seconds_bucket{code="403",le="0.1"} 1
answer_seconds_bucket{code="403",le="+Inf"} 2
answer_seconds_sum{code="403"} 0.5
answer_seconds_count{code="403"} 2
TEXT
cat > probe.mjs <<'JS'
import { readFileSync } from "node:fs";
import parse from "parse-prometheus-text-format";

for (const { name, metrics } of parse(readFileSync("metrics", "utf8"))) {
  console.log(name);
  for (const metric of metrics) console.log(" ", JSON.stringify(metric));
}
JS
node probe.mjs | tee result
diff result - <<'TEXT'
answers_total
  {"value":"42","labels":{"code":"200"}}
  {"value":"2","labels":{"code":"403"}}
answer_seconds
  {"buckets":{"0.1":"1","+Inf":"2"}}
TEXT
