#!/usr/bin/env bash
# @marcbachmann/cel-js 8.0.0 (npm): upperAscii() and lowerAscii() change other letters than those of ASCII.
#
# One would guess: "straße".upperAscii() is "STRAßE": the functions of CEL's extension for strings change
# ASCII letters only (their names; cel-go's documentation of ext.Strings; Kubernetes serves them).
# Seen: "STRASSE", a letter longer, and "É".lowerAscii() is "é".
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @marcbachmann/cel-js@8.0.0 >/dev/null
cat > probe.mjs <<'JAVASCRIPT'
import {evaluate} from '@marcbachmann/cel-js';

for (const expression of ['"straße".upperAscii()', '"É".lowerAscii()']) {
    console.log(`${expression}: ${evaluate(expression)}`);
}
JAVASCRIPT
node probe.mjs | tee seen
diff - seen <<'SEEN'
"straße".upperAscii(): STRASSE
"É".lowerAscii(): é
SEEN
