#!/usr/bin/env bash
# Builds the release archive of the plugin in target/dist: the program, its man pages, the licence;
# the sums of all archives there, the list of ingredients, and the manifest for krew.
#
#   scripts/dist.sh [PROFILE [TARGET]]
#
# PROFILE is a profile of cargo; release unless given. TARGET is a target of Rust such as
# aarch64-unknown-linux-gnu or aarch64-apple-darwin; that of this machine unless given, here or as a
# variable. It needs its standard library (rustup target add) and a linker, which for Linux is
# installed from Debian's packages. Archives that lie in target/dist already stay, so that one
# manifest names them all.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

profile=${1:-release}
TARGET=${2:-${TARGET:-}}
target=${TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
arch=$(arch_of "$target")
cross_build "$target"
program=kubectl-gmsa
case $target in
    *-linux-*) os=linux ;;
    *-apple-darwin) os=darwin ;;
    *-windows-*) os=windows program=kubectl-gmsa.exe ;;
    *) die "no archive is made for $target" ;;
esac

say "building the plugin for $target ($profile)"
if [ "$profile" = dev ]; then
    # For the tests, which build the same program.
    directory=debug
else
    without_paths
    directory=$profile
fi
[ -z "${TARGET:-}" ] || directory=$TARGET/$directory
cargo build --locked --quiet --profile "$profile" ${TARGET:+--target "$TARGET"} -p kubectl-gmsa
[ "$profile" = dev ] || names_no_path "${CARGO_TARGET_DIR:-target}/$directory/$program"
out=${CARGO_TARGET_DIR:-target}/dist
mkdir -p "$out"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

say "packing"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
install -m 755 "${CARGO_TARGET_DIR:-target}/$directory/$program" "$root/$program"
install -m 644 LICENSE "$root/LICENSE"
install -d -m 755 "$root/man"
install -m 644 docs/man/kubectl-gmsa*.1 "$root/man/"
archive=$out/kubectl-gmsa_v${version}_${os}_$arch.tar.gz
# Sorted, without times and owners: the same program gives the same archive.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$root" -cf - . | gzip -n -9 >"$archive"
unset RUSTFLAGS CFLAGS
cargo xtask sbom kubectl-gmsa >"$out/kubectl-gmsa.cdx.json"
(cd "$out" && sha256sum kubectl-gmsa_v"$version"_*.tar.gz >checksums.txt)
cargo xtask krew "$out" >"$out/gmsa.yaml"
say "$archive, $(stat -c %s "$archive") bytes; $out/checksums.txt; $out/gmsa.yaml for krew"
