#!/usr/bin/env bash
# docker-parse-image 3.0.1 (npm): the name of an image with a digest, and a path of three parts.
#
# One would guess: the name that it composes is the image's: a digest follows an `@`, also after a tag, and a path
# may have more than two parts (the reference grammar of distribution, which docker follows).
# Seen: the digest becomes the tag, and the composed name has a colon before it, a name that docker refuses; with
# both, the tag is `1@sha256:...`. For registry.local/shop/front/web it answers null.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" docker-parse-image@3.0.1 >/dev/null
cat > probe.cjs <<'JS'
const parse = require("docker-parse-image");

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
for (const text of ["shop/web:1", `shop/web@${digest}`, `shop/web:1@${digest}`, "registry.local/shop/front/web:1"]) {
  const image = parse(text);
  console.log(text, "->", JSON.stringify(image && { repository: image.repository, tag: image.tag, name: image.name }));
}
JS
node probe.cjs | sed 's/0123456789abcdef[0-9a-f]*/.../g' | tee result
diff result - <<'TEXT'
shop/web:1 -> {"repository":"web","tag":"1","name":"shop/web:1"}
shop/web@sha256:... -> {"repository":"web","tag":"sha256:...","name":"shop/web:sha256:..."}
shop/web:1@sha256:... -> {"repository":"web","tag":"1@sha256:...","name":"shop/web:1@sha256:..."}
registry.local/shop/front/web:1 -> null
TEXT
