#!/usr/bin/env bash
# Builds the images and the archive of the plugin again, and compares the bytes with what lies in target/image
# and target/dist.
#
#   scripts/reproducible.sh [PROFILE [PART...]]
#   scripts/reproducible.sh --quick
#
# PROFILE is a profile of cargo; that of a release unless given. PART is image or dist; both unless given. The
# second build is that of a copy of the last commit in another directory, target/again, with nothing that the
# first has built; it takes as long as `make image dist` of a new clone.
#
# --quick builds the images without optimization, then the project's own crates again in the same place, and
# compares the images. It takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

target=${CARGO_TARGET_DIR:-target}
host=$(rustc -vV | sed -n 's/^host: //p')

# same FIRST SECOND
same() {
    cmp "$1" "$2" || die "two builds of ${1##*/} differ"
    say "${1##*/}: two builds are the same, $(sha256sum "$1" | cut -c 1-64)"
}

if [ "${1:-}" = --quick ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # What an earlier build has left is no part of either.
    export CARGO_INCREMENTAL=0
    scripts/image.sh dev
    cp -r "$target/image" "$work/first"
    # `cargo clean` would take what the other crates are built of, too.
    rm -rf "$target/static/$host/debug/.fingerprint"/{gmsa,kubectl-gmsa}-*
    scripts/image.sh dev
    for first in "$work"/first/*; do
        same "$first" "$target/image/${first##*/}"
    done
    exit
fi

profile=${1:-release}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- image dist
[ "$profile" != dev ] || die "failed to compare: without optimization the archive names directories of this machine"
[ -z "$(git status --porcelain)" ] || die "failed to build again: there are changes that no commit has"
copy=$target/again
[ -d "$copy/.git" ] || git clone --quiet --no-checkout . "$copy"
git -C "$copy" fetch --quiet "$PWD" HEAD
git -C "$copy" checkout --quiet --detach FETCH_HEAD
for part in "$@"; do
    scripts/"$part.sh" "$profile"
    (
        cd "$copy"
        unset CARGO_TARGET_DIR
        scripts/"$part.sh" "$profile"
    )
done
for part in "$@"; do
    # Sums and manifests name the archives for other systems, too.
    for second in "$copy/target/$part"/*.{tar,tar.gz,cdx.json}; do
        [ ! -f "$second" ] || same "$target/$part/${second##*/}" "$second"
    done
done
