#!/usr/bin/env bash
# cel-js 0.8.2 (npm) and the division of whole numbers.
#
# One would guess: 7 / 2 is 3, because both are of type int and the division of ints is truncated (CEL
# language definition, "List of Standard Definitions"); 9223372036854775807 + 1 is an error, overflow.
# Seen: 3.5 and 9223372036854776000: every number is one of JavaScript. A rule such as
# "ready > replicas / 2" then differs from an API server for each odd number.
# @bufbuild/cel 0.6.1 (npm) gives 3 and an error.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund cel-js@0.8.2 @bufbuild/cel@0.6.1 >/dev/null
cat > probe.mjs <<'JAVASCRIPT'
import {evaluate} from 'cel-js';
import {isCelError, run} from '@bufbuild/cel';

const shown = (value) => (isCelError(value) ? 'an error' : `${value}`);
for (const expression of ['7 / 2', '9223372036854775807 + 1']) {
    console.log(`${expression}: cel-js ${evaluate(expression)}, @bufbuild/cel ${shown(run(expression))}`);
}
JAVASCRIPT
node probe.mjs | tee seen
diff - seen <<'SEEN'
7 / 2: cel-js 3.5, @bufbuild/cel 3
9223372036854775807 + 1: cel-js 9223372036854776000, @bufbuild/cel an error
SEEN
