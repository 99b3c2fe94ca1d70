#!/usr/bin/env bash
# Shows the main job on the cluster of scripts/cluster.sh, which is started if it does not run: install,
# credential spec, role, binding, a Deployment that is admitted, and one that is denied until its service
# account has the right. Every command is printed before it is run.
#
#   scripts/demo-cluster.sh         on that cluster
#   scripts/demo-cluster.sh here    on the cluster that kubectl points at, where the webhook is installed
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

directory=
case ${1:-} in
    '')
        scripts/cluster.sh up >/dev/null
        directory=$(cd "${CARGO_TARGET_DIR:-target}/cluster" && pwd)
        export KUBECONFIG=$directory/node/kubeconfig PATH=$directory/bin:$PATH
        ;;
    here) ;;
    *) die "usage: scripts/demo-cluster.sh [here]" ;;
esac

step() { printf '\n# %s\n' "$*"; }
run() {
    printf '$ %s\n' "$*"
    "$@"
}
# wait_for WHAT COMMAND...: runs a command until it prints something, and prints that.
wait_for() {
    local what=$1 found
    shift
    for _ in $(seq 240); do
        found=$("$@" 2>/dev/null || true)
        if [ -n "$found" ]; then
            printf '%s\n' "$found"
            return
        fi
        sleep 0.5
    done
    die "$what: not within two minutes"
}

# What an earlier demo left.
kubectl delete -n default deployment web billing --ignore-not-found >/dev/null
kubectl gmsa revoke gmsa-webapp1 --from default/billing >/dev/null 2>&1 || true

step "The webhook runs from our image, and the API server gets answers."
run kubectl get nodes
run kubectl get pods -n gmsa-webhook
run kubectl gmsa status

step "A credential spec, the right to use it, and a Deployment whose service account has that right."
for file in examples/1-credential-spec.yaml examples/2-role.yaml examples/3-role-binding.yaml \
    examples/4-deployment-pod-level.yaml; do
    run kubectl apply -f "$file"
done

step "Its pod was admitted, with the contents of the credential spec. It stays Pending: it needs Windows, and the
# only node runs Linux."
wait_for "the pod of web" kubectl get pods -l app=web --no-headers >/dev/null
run kubectl get pods -l app=web
run kubectl get pods -l app=web \
    -o 'jsonpath={.items[0].spec.securityContext.windowsOptions.gmsaCredentialSpec}{"\n"}'

step "A Deployment whose service account has no right. Its ReplicaSet says why there is no pod, and what grants
# the right."
run kubectl apply -f examples/denied/deployment.yaml
reason='jsonpath={.items[0].status.conditions[?(@.type=="ReplicaFailure")].message}'
wait_for "the denial" kubectl get replicasets -l app=billing -o "$reason"

step "That command, or this one, grants it. The ReplicaSet tries again: its pod is admitted."
run kubectl gmsa grant gmsa-webapp1 --to default/billing
wait_for "the pod of billing" kubectl get pods -l app=billing --no-headers >/dev/null
run kubectl get pods -l app=billing

[ -n "$directory" ] || exit 0
step "Go on: export KUBECONFIG=$KUBECONFIG PATH=$directory/bin:\$PATH
# make cluster-down ends the cluster."
