#!/usr/bin/env bash
# lightkube 1.0.1 (PyPI): a credential plugin of the stable version is refused.
#
# One would guess: a user of a kubeconfig with a credential plugin logs on, above all with
# client.authentication.k8s.io/v1, which is stable since Kubernetes 1.22 (2021).
# Seen: "auth exec api version client.authentication.k8s.io/v1 not implemented"; v1beta1 and v1alpha1 are accepted,
# the latter was removed from kubectl in 1.24. What the plugin prints is the same in all three.
# The API server here is a stand-in that prints the header.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages lightkube==1.0.1
cat > probe.py <<'PYTHON'
import pathlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lightkube import Client, KubeConfig
from lightkube.core.exceptions import ConfigError
from lightkube.resources.core_v1 import Namespace


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        print("  ", self.headers.get("Authorization"))
        body = b'{"metadata": {"name": "web"}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
plugin = pathlib.Path("plugin").absolute()
for version in ["v1alpha1", "v1beta1", "v1"]:
    print(version)
    version = f"client.authentication.k8s.io/{version}"
    plugin.write_text(f"""#!/bin/sh
echo '{{"apiVersion": "{version}", "kind": "ExecCredential", "status": {{"token": "example"}}}}'
""")
    plugin.chmod(0o700)
    command = {"apiVersion": version, "command": str(plugin), "interactiveMode": "Never"}
    config = KubeConfig.from_dict({
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {"exec": command}}],
    })
    try:
        Client(config).get(Namespace, "web")
    except ConfigError as error:
        print("  ", error)
PYTHON
PYTHONPATH=packages HOME=$work python3 -u probe.py | tee result
diff result - <<'TEXT'
v1alpha1
   Bearer example
v1beta1
   Bearer example
v1
   auth exec api version client.authentication.k8s.io/v1 not implemented
TEXT
