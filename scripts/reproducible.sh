#!/usr/bin/env bash
# Builds the images and the archive of the plugin twice, and compares them byte for byte.
#
#   scripts/reproducible.sh [PROFILE]
#   scripts/reproducible.sh --quick
#
# PROFILE is a profile of cargo; release unless given. The second build is that of a copy of the last
# commit in another directory, with nothing that the first has built. --quick is for the tests: it builds
# the project's own crates again, without optimization and in the same place, and makes the images of them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

target=${CARGO_TARGET_DIR:-target}
host=$(rustc -vV | sed -n 's/^host: //p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# same NAME FIRST SECOND
same() {
    cmp "$2" "$3" || die "two builds of $1 differ"
    say "$1: two builds are the same, $(sha256sum "$2" | cut -c 1-64)"
}

if [ "${1:-}" = --quick ]; then
    scripts/image.sh dev
    cp -r "$target/image" "$work/first"
    own=()
    for crate in gmsa-core gmsa-cluster gmsa-directory gmsa-webhook kubectl-gmsa; do
        own+=(-p "$crate")
    done
    cargo clean --quiet --locked --target "$host" "${own[@]}"
    scripts/image.sh dev
    for first in "$work"/first/*; do
        same "${first##*/}" "$first" "$target/image/${first##*/}"
    done
    exit
fi

profile=${1:-release}
[ -z "$(git status --porcelain)" ] || die "failed to build twice: there are changes that no commit has"
git clone --quiet . "$work/copy"
# build DIRECTORY TARGET
build() {
    (
        cd "$1"
        export CARGO_TARGET_DIR=$2
        scripts/image.sh "$profile"
        scripts/dist.sh "$profile"
    )
}
build . "$work/first"
build "$work/copy" "$work/second"
for file in "$work"/first/image/* "$work"/first/dist/*.tar.gz "$work"/first/dist/*.cdx.json; do
    same "${file##*/}" "$file" "$work/second/${file#"$work/first/"}"
done
