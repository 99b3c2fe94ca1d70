#!/usr/bin/env bash
# Makes sure that what a cluster of one node needs is in the cache, and prints the directory: kubelet,
# kube-proxy and kube-scheduler beside the control plane (or in KUBEBUILDER_ASSETS), the container runtime
# and its like from Debian's packages, and the image of the pause container. Nothing is installed but buildah, ip, openssl
# and pgrep.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

PATH=$PATH:/usr/sbin:/sbin
missing=()
have ip || missing+=(iproute2)
have openssl || missing+=(openssl)
have pgrep || missing+=(procps)
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
testkit=crates/gmsa-testkit
"$testkit/scripts/node.sh" check
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    for program in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
        [ -x "$KUBEBUILDER_ASSETS/$program" ] || die "KUBEBUILDER_ASSETS: $program is missing in $KUBEBUILDER_ASSETS"
    done
else
    "$testkit/scripts/build-control-plane.sh" "${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/control-plane/1.20.2" \
        kube-apiserver kube-controller-manager kubelet kube-proxy kube-scheduler
fi
scripts/helm.sh >/dev/null

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/node
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
# What was made by other scripts than these is made again.
made() { cmp -s "$1" "$cache/$(basename "$1")"; }

if ! made "$testkit/scripts/node-packages.sh"; then
    say "unpacking the container runtime from Debian's packages"
    "$testkit/scripts/node-packages.sh" "$cache/packages"
    cp "$testkit/scripts/node-packages.sh" "$cache/"
fi

helper=$testkit/src/bin/node-helper.rs
if ! made "$helper"; then
    say "building the helper and its image"
    have buildah || install_packages buildah
    rustc --edition 2024 -C opt-level=s -C strip=symbols -C target-feature=+crt-static -o "$cache/node-helper" "$helper"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/image/tmp"
    chmod 1777 "$work/image/tmp"
    cp "$cache/node-helper" "$work/image/"
    # What the doctor calls in a pod of Windows.
    for program in cmd klist nltest nslookup whoami; do
        ln -s node-helper "$work/image/$program"
    done
    export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
    storage=(--root "$work/storage" --runroot "$work/run")
    container=$(buildah "${storage[@]}" from scratch)
    buildah "${storage[@]}" copy --quiet "$container" "$work/image" / >/dev/null
    buildah "${storage[@]}" config --os linux --env PATH=/ --entrypoint '["/node-helper"]' --cmd pause "$container"
    rm -f "$cache/helper.tar"
    buildah "${storage[@]}" commit --quiet "$container" "oci-archive:$cache/helper.tar:kube-gmsa.test/helper:1" >/dev/null
    cp "$helper" "$cache/"
fi
echo "$cache"
