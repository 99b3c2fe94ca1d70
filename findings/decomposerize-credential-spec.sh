#!/usr/bin/env bash
# decomposerize 1.4.4 (npm): the credential spec of a service is left out.
#
# One would guess: a service with a credential_spec, the gMSA of its container (Compose file reference), becomes a
# `docker run` with `--security-opt credentialspec=...`, or the tool says that it cannot write it.
# Seen: it is dropped without a word, next to `isolation`, which is kept: the container starts without its identity.
# A list in `entrypoint` becomes one --entrypoint for each item, of which docker takes the last: the entry point is
# w3svc.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" decomposerize@1.4.4 >/dev/null 2>&1
cat > probe.mjs <<'JS'
import decomposerize from "decomposerize";

console.log(
  decomposerize(`services:
  web:
    image: web
    credential_spec:
      file: web.json
    isolation: process
    entrypoint: ["monitor.exe", "w3svc"]
`),
);
JS
node probe.mjs | tee result
diff result - <<'TEXT'
docker run --isolation process --entrypoint monitor.exe --entrypoint w3svc web
TEXT
