#!/usr/bin/env bash
# Builds the programs of a newer Kubernetes for the tests, where none can be downloaded.
#
#   newer-control-plane.sh TREE VERSION DIRECTORY [PROGRAM...]
#
# TREE is the source of Kubernetes with its vendored modules (a release's source archive, or a
# distribution's tree), VERSION its version, such as v1.36.2. PROGRAM is a name below cmd/;
# kube-apiserver and kube-controller-manager if none is given; a node takes kube-scheduler, kubelet and
# kube-proxy too. etcd comes from Debian 13's package, and the release of Go that TREE's go.mod names from
# the distribution of Debian that has it, unpacked beside the system: a newer one is not the same (built with
# Go 1.27, a 1.36 serves an /openapi/v2 that kubectl cannot read). GOFLAGS adds to go's flags. Needs Debian;
# about fifteen minutes on two cores.
#
# Then: KUBEBUILDER_ASSETS=DIRECTORY cargo nextest run --workspace
set -euo pipefail
. "$(dirname "$0")/common.sh"

usage='usage: newer-control-plane.sh TREE VERSION DIRECTORY [PROGRAM...]'
tree=$(cd "${1:?$usage}" && pwd)
version=${2:?$usage}
out=${3:?$usage}
shift 3
[ $# -gt 0 ] || set -- kube-apiserver kube-controller-manager
[ -d "$tree/vendor" ] && [ -d "$tree/cmd/kube-apiserver" ] ||
    die "$tree is not the source of Kubernetes with its vendored modules"
[[ $version =~ ^v([0-9]+)\.([0-9]+)\.[0-9]+ ]] || die "$version is not a version such as v1.36.2"
major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
release=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' "$tree/go.mod")

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/newer-control-plane.XXXXXX")
trap 'rm -rf "$work"' EXIT

# 1.22 and 1.23, 1.24, 1.25, 1.26 and newer.
apt_for "$work" bookworm-backports trixie trixie-backports sid
mkdir -p "$work/packages" "$work/root"
export APT_CONFIG=$work/apt.conf
apt-get update -qq
(cd "$work/packages" && apt-get download -qq "golang-$release-go" "golang-$release-src" etcd-server/trixie)
for package in "$work"/packages/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done
unset APT_CONFIG
install -m 755 "$work/root/usr/bin/etcd" "$out/etcd"

export GOROOT=$work/root/usr/lib/go-$release
export PATH=$GOROOT/bin:$PATH GOFLAGS="-mod=vendor ${GOFLAGS:-}" GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0
export GOCACHE=${GOCACHE:-$work/cache} GOPATH=$work/go
flags='-s -w'
# Older API servers tell their clients the second.
for stamp in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $stamp.gitVersion=$version -X $stamp.gitMajor=$major -X $stamp.gitMinor=$minor"
done
cd "$tree"
for program in "$@"; do
    go build -trimpath -o "$out/$program" -ldflags "$flags" "./cmd/$program"
done
printf 'export KUBEBUILDER_ASSETS=%s\n' "$out"
