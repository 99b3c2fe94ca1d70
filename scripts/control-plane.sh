#!/usr/bin/env bash
# Makes sure that there is a control plane for the tests: that of KUBEBUILDER_ASSETS if it is set,
# else the one in the cache, which is built if it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -z "${KUBEBUILDER_ASSETS:-}" ] || exit 0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/control-plane/1.20.2
for program in etcd kube-apiserver kube-controller-manager; do
    [ -x "$cache/$program" ] || exec crates/gmsa-testkit/scripts/build-control-plane.sh "$cache"
done
