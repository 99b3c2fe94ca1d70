#!/usr/bin/env bash
# just-diff-apply 5.5.0 (npm): JSON Patches on lists and annotations.
#
# One would guess: with jsonPatchPathConverter, "to apply jsPatch standard paths", it applies standard patches: "add"
# inserts into a list, `-` is its end (RFC 6902, 4.1), `~1` is a slash (RFC 6901, 4), and a failed "test" ends the
# patch.
# Seen: "add" overwrites the item, `-` adds nothing that JSON shows, "test" is ignored, and an annotation such as
# example.com/x is written with the name example.com~1x. fast-json-patch 3.1.1 applies them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" just-diff-apply@5.5.0 fast-json-patch@3.1.1 >/dev/null
cat > probe.mjs <<'JS'
import fast from "fast-json-patch";
import { diffApply, jsonPatchPathConverter } from "just-diff-apply";

const object = { annotations: {}, names: ["web", "front"] };
for (const operation of [
  { op: "add", path: "/names/0", value: "api" },
  { op: "add", path: "/names/-", value: "api" },
  { op: "add", path: "/annotations/example.com~1x", value: "y" },
  { op: "test", path: "/names/0", value: "api" },
]) {
  console.log(JSON.stringify(operation));
  const changed = structuredClone(object);
  diffApply(changed, [operation], jsonPatchPathConverter);
  console.log("  just-diff-apply", JSON.stringify(changed));
  try {
    const { newDocument } = fast.applyPatch(structuredClone(object), [operation]);
    console.log("  fast-json-patch", JSON.stringify(newDocument));
  } catch (error) {
    console.log("  fast-json-patch", error.name);
  }
}
JS
node probe.mjs | tee result
diff result - <<'TEXT'
{"op":"add","path":"/names/0","value":"api"}
  just-diff-apply {"annotations":{},"names":["api","front"]}
  fast-json-patch {"annotations":{},"names":["api","web","front"]}
{"op":"add","path":"/names/-","value":"api"}
  just-diff-apply {"annotations":{},"names":["web","front"]}
  fast-json-patch {"annotations":{},"names":["web","front","api"]}
{"op":"add","path":"/annotations/example.com~1x","value":"y"}
  just-diff-apply {"annotations":{"example.com~1x":"y"},"names":["web","front"]}
  fast-json-patch {"annotations":{"example.com/x":"y"},"names":["web","front"]}
{"op":"test","path":"/names/0","value":"api"}
  just-diff-apply {"annotations":{},"names":["web","front"]}
  fast-json-patch TEST_OPERATION_FAILED
TEXT
