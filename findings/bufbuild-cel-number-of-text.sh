#!/usr/bin/env bash
# @bufbuild/cel 0.6.1 (npm) and texts that are no numbers.
#
# One would guess: double("abc"), double("") and int("") are errors, as a text that is not a number has no
# value in CEL (language definition, "List of Standard Definitions"); int() takes decimal texts only.
# Seen: NaN, 0 and 0, and 16 of "0x10": JavaScript's Number and BigInt. `double(object.ratio) < 0.5` is then false for "abc"
# and true for "", where an API server reports an error.
# @marcbachmann/cel-js 8.0.0 (npm) refuses the doubles; of int("") it makes 0 too.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0 >/dev/null
cat > probe.mjs <<'JAVASCRIPT'
import {isCelError, run} from '@bufbuild/cel';
import {evaluate} from '@marcbachmann/cel-js';

function other(expression) {
    try {
        return `${evaluate(expression)}`;
    } catch {
        return 'an error';
    }
}
for (const expression of ['double("abc")', 'double("")', 'int("")', 'int("0x10")']) {
    const value = run(expression);
    console.log(`${expression}: @bufbuild/cel ${isCelError(value) ? 'an error' : value}, ` +
        `@marcbachmann/cel-js ${other(expression)}`);
}
JAVASCRIPT
node probe.mjs | tee seen
diff - seen <<'SEEN'
double("abc"): @bufbuild/cel NaN, @marcbachmann/cel-js an error
double(""): @bufbuild/cel 0, @marcbachmann/cel-js an error
int(""): @bufbuild/cel 0, @marcbachmann/cel-js 0
int("0x10"): @bufbuild/cel 16, @marcbachmann/cel-js an error
SEEN
