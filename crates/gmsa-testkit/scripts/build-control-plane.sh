#!/usr/bin/env bash
# Builds programs of Kubernetes 1.20.2 for the tests from Debian 12's own packages into a directory.
#
#   build-control-plane.sh DIRECTORY [PROGRAM...]
#
# PROGRAM is a name below cmd/ in the source of Kubernetes; kube-apiserver and kube-controller-manager
# if none is given. etcd comes from its package. A program that is already in DIRECTORY is not built
# again, so a directory can be completed later.
#
# Needs Debian and root (or sudo). The apt sources of the machine are not changed: source packages
# are found through a private list that names the mirrors the machine already uses.
# About five minutes on two cores for the control plane; the result is kept in the cache and built once.
set -euo pipefail

out=${1:?usage: build-control-plane.sh OUTPUT_DIRECTORY [PROGRAM...]}
shift
[ $# -gt 0 ] || set -- kube-apiserver kube-controller-manager
say() { printf 'control plane: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

command -v apt-get >/dev/null || die "apt-get is missing: set KUBEBUILDER_ASSETS to a directory with etcd, kube-apiserver and kube-controller-manager instead"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "root or sudo is needed to install build packages; or set KUBEBUILDER_ASSETS"
    as_root=(sudo)
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
exec 9>"$out/.lock"
flock 9
missing=()
for program in "$@"; do
    [ -x "$out/$program" ] || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || [ ! -x "$out/etcd" ] || exit 0

say "installing build packages"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends \
    etcd-server golang-go golang-github-modern-go-reflect2-dev rsync jq dpkg-dev gcc libc6-dev make >&2
[ -x "$out/etcd" ] || install -m 755 "$(command -v etcd)" "$out/etcd"
[ ${#missing[@]} -gt 0 ] || exit 0

work=$(mktemp -d "${TMPDIR:-/tmp}/control-plane.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The mirrors that carry Debian's main packages, as the machine names them.
mkdir -p "$work/lists/partial" "$work/source"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Identifier: Packages' 'Component: main' |
    awk '$2 == "Debian" && $3 == "Debian" { print $1 }' | sort -u |
    while read -r uri; do
        echo "deb-src [signed-by=$keyring] $uri bookworm main"
    done >"$work/sources.list"
[ -s "$work/sources.list" ] || die "no apt source of Debian main is configured"
private=(
    -o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=-"
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache::srcpkgcache=" -o "Dir::Cache::pkgcache="
    -o "APT::Sandbox::User=root"
)
say "fetching the source package of Kubernetes 1.20.2"
apt-get "${private[@]}" update -qq
(cd "$work/source" && apt-get "${private[@]}" source -qq kubernetes >&2)
tree=$(find "$work/source" -maxdepth 1 -type d -name 'kubernetes-*' | head -n 1)
[ -n "$tree" ] || die "the source package did not unpack"

# Go 1.19 cannot run the vendored reflect2: it crashes under load. Debian's own package can.
reflect2=vendor/github.com/modern-go/reflect2
find "$tree/$reflect2" -maxdepth 1 \( -name '*.go' -o -name '*.s' \) -delete
cp /usr/share/gocode/src/github.com/modern-go/reflect2/*.go "$tree/$reflect2/"
cp /usr/share/gocode/src/github.com/modern-go/reflect2/*.s "$tree/$reflect2/" 2>/dev/null || true

# build OPTION... PROGRAM...: options of make, then names below cmd/.
build() {
    local options=() what=()
    for one in "$@"; do
        case $one in
            *=*) options+=("$one") ;;
            *) what+=("cmd/$one") ;;
        esac
    done
    (cd "$tree" && make "${options[@]}" WHAT="${what[*]}" >"$work/build.log" 2>&1) || {
        tail -n 40 "$work/build.log" >&2
        die "the build failed"
    }
}
say "building ${missing[*]} (a few minutes)"
control_plane=() node=()
for program in "${missing[@]}"; do
    case $program in
        kube-apiserver | kube-controller-manager) control_plane+=("$program") ;;
        *) node+=("$program") ;;
    esac
done
[ ${#control_plane[@]} -eq 0 ] || build "${control_plane[@]}"
# Without the libraries of clouds and of Docker, which are a third of the work, and all linked in one way, so
# that they are compiled once.
[ ${#node[@]} -eq 0 ] || build GOFLAGS=-tags=providerless,dockerless KUBE_CGO_OVERRIDES="kube-proxy kube-scheduler" "${node[@]}"
for program in "${missing[@]}"; do
    install -m 755 "$tree/_output/bin/$program" "$out/.$program"
    strip "$out/.$program" || true
    mv "$out/.$program" "$out/$program"
done
say "ready in $out"
