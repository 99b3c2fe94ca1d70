#!/usr/bin/env bash
# @bufbuild/cel 0.6.1 (npm) and has() of a field that is null.
#
# One would guess: has(object.name) is true for {"name": null}: of a map, has() asks whether the key is
# there (CEL language definition, "Field Selection"). cel-python 0.5.0 and @marcbachmann/cel-js 8.0.0 say so.
# Seen: false, and so is `"name" in object`, although object.name == null is true and no error.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0 >/dev/null
cat > probe.mjs <<'JAVASCRIPT'
import {run} from '@bufbuild/cel';
import {evaluate} from '@marcbachmann/cel-js';

const object = {name: null};
for (const expression of ['has(object.name)', '"name" in object', 'object.name == null']) {
    console.log(`${expression}: @bufbuild/cel ${run(expression, {object})}, ` +
        `@marcbachmann/cel-js ${evaluate(expression, {object})}`);
}
JAVASCRIPT
node probe.mjs | tee seen
diff - seen <<'SEEN'
has(object.name): @bufbuild/cel false, @marcbachmann/cel-js true
"name" in object: @bufbuild/cel false, @marcbachmann/cel-js true
object.name == null: @bufbuild/cel true, @marcbachmann/cel-js true
SEEN
