#!/usr/bin/env bash
# checkov 3.3.30 (PyPI) and pods for Windows nodes: it asks for fields that Kubernetes forbids there.
#
# One would guess: a pod that says `os.name: windows` is spared the checks for Linux security
# contexts, since the API server refuses those fields beside it ("cannot be set for a windows pod":
# Kubernetes API reference, PodSpec.os).
# Seen: of a Windows pod with a GMSA it demands a seccomp profile (CKV_K8S_31), dropped capabilities
# (CKV_K8S_28, CKV_K8S_37), allowPrivilegeEscalation (CKV_K8S_20), a high runAsUser (CKV_K8S_40) and
# readOnlyRootFilesystem (CKV_K8S_22). Following any of them makes the pod invalid.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check checkov==3.3.30
cat > pod.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  os: {name: windows}
  nodeSelector: {kubernetes.io/os: windows}
  serviceAccountName: web
  securityContext:
    runAsNonRoot: true
    windowsOptions: {gmsaCredentialSpecName: gmsa-webapp1}
  containers:
  - name: iis
    image: example.com/iis
YAML
HOME=$work environment/bin/checkov --file pod.yaml --framework kubernetes --compact --quiet \
    --skip-download > result 2> /dev/null || true
echo "checkov $(environment/bin/checkov --version)"
for check in CKV_K8S_20 CKV_K8S_22 CKV_K8S_28 CKV_K8S_31 CKV_K8S_37 CKV_K8S_40; do
    grep "^Check: $check:" result || { echo "changed: $check does not fail"; cat result; exit 1; }
done
