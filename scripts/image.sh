#!/usr/bin/env bash
# Builds the image of the server: one static program on an empty root, as an OCI archive in
# target/image, with its list of ingredients (CycloneDX). Needs buildah, but no daemon.
#
#   scripts/image.sh [PROFILE [TARGET]]
#
# PROFILE is a profile of cargo; release unless given. TARGET is a target of Rust; that of this
# machine unless given, here or as a variable. For arm64 on an amd64 machine:
#
#   rustup target add aarch64-unknown-linux-gnu
#   scripts/image.sh release aarch64-unknown-linux-gnu
#
# installs the C compiler for it from Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

profile=${1:-release}
target=${2:-${TARGET:-$(rustc -vV | sed -n 's/^host: //p')}}
arch=$(arch_of "$target")
# The most bytes that the image for users may have.
most=15000000
cross_build "$target"
have buildah || install_packages buildah

say "building the program ($profile, static)"
(
    without_paths -C target-feature=+crt-static
    cargo build --locked --quiet --profile "$profile" --target "$target" -p gmsa-webhook --features otlp
)
directory=$profile
[ "$profile" != dev ] || directory=debug
program=${CARGO_TARGET_DIR:-target}/$target/$directory/gmsa-webhook
names_no_path "$program"
out=${CARGO_TARGET_DIR:-target}/image
mkdir -p "$out"

say "listing the ingredients"
cargo xtask sbom gmsa-webhook --features otlp >"$out/gmsa-webhook.cdx.json"

say "making the image"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
image=$(cargo xtask image-name)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
storage=(--root "$root/storage" --runroot "$root/run")
container=$(buildah "${storage[@]}" from scratch)
install -m 755 "$program" "$root/gmsa-webhook"
touch -d @0 "$root/gmsa-webhook"
buildah "${storage[@]}" copy --quiet "$container" "$root/gmsa-webhook" /gmsa-webhook >/dev/null
buildah "${storage[@]}" config --arch "$arch" --os linux --user 65532:65532 \
    --entrypoint '["/gmsa-webhook"]' --cmd '' --port 8443 --port 9443 \
    --label "org.opencontainers.image.source=https://github.com/kube-gmsa/kube-gmsa" \
    --label "org.opencontainers.image.licenses=Apache-2.0" "$container"
archive=$out/gmsa-webhook-$arch.tar
rm -f "$archive"
buildah "${storage[@]}" commit --quiet --timestamp 0 --disable-compression=false "$container" \
    "oci-archive:$archive:$image" >/dev/null
size=$(stat -c %s "$archive")
[ "$profile" != release ] || [ "$size" -le "$most" ] ||
    die "$archive has $size bytes, and the image is to have at most $most"
say "$image for $arch: $archive, $size bytes"
