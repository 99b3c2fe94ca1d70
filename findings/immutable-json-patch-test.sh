#!/usr/bin/env bash
# immutable-json-patch 6.0.3 (npm): the operation "test" fails when keys stand in another order.
#
# One would guess: two objects are equal if they have the same members (RFC 6902, 4.6), in whatever order; the operation
# guards a patch against a change in between, and servers order keys as they like.
# Seen: `{"gid": 1, "uid": 2}` is not equal to `{"uid": 2, "gid": 1}`, and the patch ends with "Test failed, value
# differs"; fast-json-patch 3.1.1 and rfc6902 5.4.0 apply it. The test in the standard's own suite
# (json-patch-test-suite 1.1.0, "test should pass despite rearrangement") fails.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" immutable-json-patch@6.0.3 fast-json-patch@3.1.1 \
    rfc6902@5.4.0 json-patch-test-suite@1.1.0 >/dev/null
cat > probe.mjs <<'JS'
import { readFileSync } from "node:fs";
import fast from "fast-json-patch";
import { immutableJSONPatch } from "immutable-json-patch";
import * as rfc6902 from "rfc6902";

const tests = JSON.parse(readFileSync("node_modules/json-patch-test-suite/tests.json", "utf8"));
const { doc, patch, comment } = tests.find((test) => test.comment === "test should pass despite rearrangement");
console.log(comment, JSON.stringify(doc), JSON.stringify(patch));
const libraries = {
  "fast-json-patch": () => fast.applyPatch(structuredClone(doc), patch, true),
  rfc6902: () => {
    const [error] = rfc6902.applyPatch(structuredClone(doc), patch);
    if (error) throw error;
  },
  "immutable-json-patch": () => immutableJSONPatch(doc, patch),
};
for (const [name, apply] of Object.entries(libraries)) {
  try {
    apply();
    console.log(name, "applied");
  } catch (error) {
    console.log(name, error.message);
  }
}
JS
node probe.mjs | tee result
diff result - <<'TEXT'
test should pass despite rearrangement {"foo":{"foo":1,"bar":2}} [{"op":"test","path":"/foo","value":{"bar":2,"foo":1}}]
fast-json-patch applied
rfc6902 applied
immutable-json-patch Test failed, value differs (path: "/foo")
TEXT
