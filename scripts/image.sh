#!/usr/bin/env bash
# Builds the images of the server and of the plugin: each is one static program on an empty root, as an
# OCI archive in target/image, with its list of ingredients (CycloneDX). Needs buildah, but no daemon.
#
#   scripts/image.sh [PROFILE [TARGET [PROGRAM]]]
#
# PROFILE is a profile of cargo; release unless given. TARGET is a target of Rust; that of this
# machine unless given, here or as a variable. PROGRAM is gmsa-webhook or kubectl-gmsa; both unless given.
# For arm64 on an amd64 machine:
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
only=${3:-}
arch=$(arch_of "$target")
# The most bytes that an image for users may have.
most=15000000
cross_build "$target"
have buildah || install_packages buildah
directory=$profile
[ "$profile" != dev ] || directory=debug
out=${CARGO_TARGET_DIR:-target}/image
mkdir -p "$out"
# In a directory of its own: where other builds have other flags for C, each would build all of it again.
static=${CARGO_TARGET_DIR:-target}/static
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
storage=(--root "$root/storage" --runroot "$root/run")

# make_image PROGRAM IMAGE [FLAG...]: with these flags of buildah config, and those of cargo in the
# array `features`.
make_image() {
    local name=$1 image=$2 program container archive size
    shift 2
    [ "${only:-$name}" = "$name" ] || return 0
    say "building $name ($profile, static)"
    (
        without_paths -C target-feature=+crt-static
        what=(-p "$name" "${features[@]}")
        # For the tests: what both need is built once.
        [ "$profile" != dev ] || what=(-p gmsa-webhook -p kubectl-gmsa --features gmsa-webhook/otlp --bin "$name")
        cargo build --target-dir "$static" --locked --quiet --profile "$profile" --target "$target" "${what[@]}"
    )
    program=$static/$target/$directory/$name
    names_no_path "$program"

    say "listing the ingredients of $name"
    cargo xtask sbom "$name" "${features[@]}" >"$out/$name.cdx.json"

    say "making the image of $name"
    container=$(buildah "${storage[@]}" from scratch)
    install -m 755 "$program" "$root/$name"
    touch -d @0 "$root/$name"
    buildah "${storage[@]}" copy --quiet "$container" "$root/$name" "/$name" >/dev/null
    buildah "${storage[@]}" config --arch "$arch" --os linux --user 65532:65532 \
        --entrypoint "[\"/$name\"]" --cmd '' "$@" \
        --label "org.opencontainers.image.source=https://github.com/kube-gmsa/kube-gmsa" \
        --label "org.opencontainers.image.licenses=Apache-2.0" "$container"
    archive=$out/$name-$arch.tar
    buildah "${storage[@]}" commit --quiet --timestamp 0 --disable-compression=false "$container" \
        "oci:$root/$name.oci:$image" >/dev/null
    # buildah's own archive has the times of this build.
    (
        cd "$root/$name.oci"
        tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - \
            blobs index.json oci-layout
    ) >"$archive"
    size=$(stat -c %s "$archive")
    [ "$profile" != release ] || [ "$size" -le "$most" ] ||
        die "$archive has $size bytes, and the image is to have at most $most"
    say "$image for $arch: $archive, $size bytes"
}

image=$(cargo xtask image-name)
features=(--features otlp)
make_image gmsa-webhook "$image" --port 8443 --port 9443
features=()
make_image kubectl-gmsa "${image/gmsa-webhook/kubectl-gmsa}"
