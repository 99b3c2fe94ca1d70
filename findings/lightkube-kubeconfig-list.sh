#!/usr/bin/env bash
# lightkube 1.0.1 (PyPI): the list of files in KUBECONFIG is taken for the name of one.
#
# One would guess: the files of the list are merged, as kubectl and its documentation have it ("Organizing
# Cluster Access Using kubeconfig Files": "a list of paths to configuration files", with a colon between them).
# Seen: KubeConfig.from_env looks for one file whose name is the whole list, and raises ConfigError; a Client
# cannot be made. With one name it is as meant.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages lightkube==1.0.1
cat > probe.py <<'PYTHON'
import os

import lightkube

for name in ["first", "second"]:
    with open(name, "w") as file:
        file.write(f"""apiVersion: v1
kind: Config
current-context: {name}
contexts: [{{name: {name}, context: {{cluster: {name}}}}}]
clusters: [{{name: {name}, cluster: {{server: "https://{name}.example.com"}}}}]
""")
for value in ["first", "first:second"]:
    os.environ["KUBECONFIG"] = value
    try:
        print(value, "->", lightkube.KubeConfig.from_env().get().cluster.server)
    except lightkube.core.exceptions.ConfigError as error:
        print(value, "->", error)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
first -> https://first.example.com
first:second -> Configuration file first:second not found
TEXT
