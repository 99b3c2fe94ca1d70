#!/usr/bin/env bash
# Pushes the OCI artefacts that `make release-artifacts` made, with signatures and attestations:
#
#   scripts/push-artifacts.sh PREFIX [FLAG...]
#
# PREFIX is a registry and a path in it, such as ghcr.io/kube-gmsa; log in with `oras login` or `docker
# login` first. Flags go to `oras cp`, such as --to-plain-http for a registry without TLS.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

[ $# -ge 1 ] || die "failed to push: name a registry and a path in it, such as ghcr.io/kube-gmsa"
prefix=$1
shift
out=${GMSA_ARTIFACTS:-${CARGO_TARGET_DIR:-target}/artifacts}
[ -d "$out/oci" ] || die "failed to push: $out/oci is missing; run make release-artifacts first"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tools=$(scripts/artifact-tools.sh)
for name in gmsa-webhook kubectl-gmsa charts/gmsa; do
    "$tools/oras" cp --recursive --no-tty --from-oci-layout "$out/oci/$name:$version" "$@" \
        "$prefix/$name:$version" >&2
done
