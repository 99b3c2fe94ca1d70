#!/usr/bin/env bash
# A real cluster of one node on this machine, with the webhook installed from our own image: kubelet,
# container runtime and Services in namespaces of their own. Nothing of this machine is changed. Takes root.
#
#   scripts/cluster.sh up      builds what is missing, starts it, installs; again: installs what changed
#   scripts/cluster.sh down    ends it, and leaves nothing
#
# PROFILE is the profile of cargo for image and plugin: dev unless given. Kubernetes comes from
# KUBEBUILDER_ASSETS if it is set, else 1.20.2 is built from Debian's source package, once.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

node=crates/gmsa-testkit/scripts/node.sh
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
directory=$target/cluster
profile=${PROFILE:-dev}
built=$target/$profile
[ "$profile" != dev ] || built=$target/debug

case ${1:-} in
    up) ;;
    down)
        "$node" down "$directory/node"
        rm -rf "$directory"
        exit
        ;;
    *) die "usage: scripts/cluster.sh up|down" ;;
esac

cache=$(scripts/node.sh)
say "building the plugin and the image ($profile)"
cargo build --locked --quiet --profile "$profile" --workspace --features gmsa-webhook/otlp --bins
scripts/image.sh "$profile" "$(rustc -vV | sed -n 's/^host: //p')" gmsa-webhook
kubectl=$(scripts/helm.sh)/kubectl
mkdir -p "$directory/bin"
ln -sf "$kubectl" "$built/kubectl-gmsa" "$directory/bin/"

began=$SECONDS
if [ -d "$directory/node" ] && ! "$node" runs "$directory/node"; then
    say "the cluster of before has ended, or did not start"
    "$node" down "$directory/node"
fi
if [ ! -d "$directory/node" ]; then
    say "starting the cluster"
    ASSETS=${KUBEBUILDER_ASSETS:-$(dirname "$cache")/control-plane/1.20.2} PACKAGES=$cache/packages \
        HELPER=$cache/node-helper HELPER_IMAGE=$cache/helper.tar KUBECTL=$kubectl "$node" up "$directory/node"
fi
image=$(cargo xtask image-name)
digest() { "$node" exec "$directory/node" ctr -n k8s.io images ls "name==$image" | awk 'NR == 2 { print $3 }'; }
before=$(digest)
"$node" import "$directory/node" "$target/image/gmsa-webhook-$(arch_of "$(rustc -vV | sed -n 's/^host: //p')").tar" "$image"
say "$((SECONDS - began)) s: the image is in the node's store; installing"
export KUBECONFIG=$directory/node/kubeconfig PATH=$directory/bin:$PATH
kubectl gmsa install
# The name stays, so a Deployment does not notice another image.
if [ -n "$before" ] && [ "$before" != "$(digest)" ]; then
    kubectl rollout restart -n gmsa-webhook deployment/gmsa-webhook
    kubectl rollout status -n gmsa-webhook deployment/gmsa-webhook
fi
say "$((SECONDS - began)) s: the webhook answers"
cat <<TEXT

The cluster runs. Point kubectl at it:

  export KUBECONFIG=$KUBECONFIG PATH=$directory/bin:\$PATH

Its only node runs Linux: pods that need Windows are admitted, and stay Pending.
make cluster-down ends it.
TEXT
