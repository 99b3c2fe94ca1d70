#!/usr/bin/env bash
# composerize 1.7.6 (npm): a folder of Windows becomes a volume.
#
# One would guess: `C:\data:C:\app` mounts the folder C:\data, as docker does with it on Windows, and the Compose
# file needs no volume for it.
# Seen: the text before the first colon is taken for the name of a volume, as in `data:/app`: the file declares an
# external volume C. Compose refuses to start the service while there is no such volume.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" composerize@1.7.6 >/dev/null 2>&1
cat > probe.mjs <<'JS'
import composerize from "composerize";

for (const volume of [String.raw`C:\data:C:\app`, "/data:/app", "data:/app"]) {
  console.log(composerize(`docker run -v ${volume} web`));
}
JS
node probe.mjs | grep -v '^#' | tee result
diff result - <<'TEXT'
name: <your project name>
services:
    web:
        volumes:
            - C:\data:C:\app
        image: web
volumes:
    C:
        external: true
        name: C
name: <your project name>
services:
    web:
        volumes:
            - /data:/app
        image: web
name: <your project name>
services:
    web:
        volumes:
            - data:/app
        image: web
volumes:
    data:
        external: true
        name: data
TEXT
