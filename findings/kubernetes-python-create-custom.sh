#!/usr/bin/env bash
# kubernetes 37.0.2 (PyPI): create_from_yaml creates no custom resources.
#
# One would guess: it creates what the file has, as `kubectl create -f` does: its documentation says "Perform
# an action from a yaml file".
# Seen: it looks for a class of the package named after the group and the version, and for a credential spec
# raises AttributeError: "module 'kubernetes.client' has no attribute 'WindowsV1Api'". What stands before it in the
# file has been created by then. The dynamic client of the same package can create it.
# The API server here is a stand-in that prints what it is sent.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubernetes==37.0.2
cat > probe.py <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kubernetes import client, utils

MANIFESTS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: windows.k8s.io/v1
kind: GMSACredentialSpec
metadata: {name: web}
credspec: {}
"""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print("created:", json.loads(body)["kind"])
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open("manifests.yaml", "w") as file:
    file.write(MANIFESTS)
api = client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{server.server_port}"))
try:
    utils.create_from_yaml(api, "manifests.yaml")
except AttributeError as error:
    print(error)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
created: ServiceAccount
module 'kubernetes.client' has no attribute 'WindowsV1Api'
TEXT
