#!/usr/bin/env bash
# Builds the release archive of the plugin in target/dist: the program, its man pages, the licence; the
# archive's list of ingredients (CycloneDX); the sums of all archives there, and the manifests for krew,
# Scoop and winget.
#
#   scripts/dist.sh [PROFILE [TARGET]]
#
# PROFILE is a profile of cargo; release unless given. TARGET is a target of Rust such as
# aarch64-unknown-linux-gnu or aarch64-apple-darwin; that of this machine unless given, here or as a
# variable. `all` stands for this machine's and each of Linux and Windows for which it has the standard
# library. It needs its standard library (rustup target add) and a linker, which for Linux and Windows is
# installed from Debian's packages. GMSA_PROGRAM names a program that is built already. Archives that lie
# in target/dist already stay, so that one manifest names them all.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

profile=${1:-release}
# The most bytes that an archive for users may have.
most=12000000
TARGET=${2:-${TARGET:-}}
if [ "$TARGET" = all ]; then
    unset TARGET
    scripts/dist.sh "$profile"
    host=$(rustc -vV | sed -n 's/^host: //p')
    for other in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-pc-windows-gnu; do
        [ "$other" != "$host" ] || continue
        if has_std "$other"; then
            scripts/dist.sh "$profile" "$other"
        else
            say "no archive for $other: rustup target add $other, or make windows arm64"
        fi
    done
    exit
fi
target=${TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
arch=$(arch_of "$target")
built=${GMSA_PROGRAM:-}
[ -n "$built" ] || cross_build "$target"
features=gssapi
program=kubectl-gmsa
case $target in
    *-linux-*) os=linux ;;
    *-apple-darwin) os=darwin ;;
    *-windows-*) os=windows program=kubectl-gmsa.exe ;;
    *) die "no archive is made for $target" ;;
esac

if [ -z "$built" ]; then
    say "building the plugin for $target ($profile)"
    if [ "$profile" = dev ]; then
        # For the tests, and as they build it, so that its dependencies are built once.
        what=(--workspace --bin kubectl-gmsa --features gmsa-webhook/otlp)
        directory=debug
    else
        without_paths
        what=(-p kubectl-gmsa)
        directory=$profile
    fi
    [ -z "${TARGET:-}" ] || directory=$TARGET/$directory
    if [ "$os" = linux ]; then
        if scripts/kerberos.sh; then
            gssapi_at_run_time "$target"
        else
            [ "$profile" = dev ] || die "failed to build the plugin with --kerberos: its headers are missing"
            skip "--kerberos in the archive" "libkrb5-dev and libclang-dev are missing"
            features=
        fi
    fi
    cargo build --locked --quiet --profile "$profile" ${TARGET:+--target "$TARGET"} "${what[@]}" \
        ${features:+--features "kubectl-gmsa/$features"}
    built=${CARGO_TARGET_DIR:-target}/$directory/$program
    [ "$profile" = dev ] || names_no_path "$built"
fi
out=${CARGO_TARGET_DIR:-target}/dist
mkdir -p "$out"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

say "packing"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
install -m 755 "$built" "$root/$program"
install -m 644 LICENSE "$root/LICENSE"
install -d -m 755 "$root/man"
install -m 644 docs/man/kubectl-gmsa*.1 "$root/man/"
name=$out/kubectl-gmsa_v${version}_${os}_$arch
# Sorted, without times and owners: the same program gives the same archive. Without an entry for the
# directory, whose mode tar would give to the one it is unpacked in.
if [ "$os" = windows ]; then
    # winget takes no tar.
    archive=$name.zip
    zip_tree "$root" "$archive"
else
    archive=$name.tar.gz
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$root" \
        -cf - LICENSE "$program" man | gzip -n -9 >"$archive"
fi
size=$(stat -c %s "$archive")
[ "$profile" != release ] || [ "$size" -le "$most" ] ||
    die "$archive has $size bytes, and an archive is to have at most $most"
unset RUSTFLAGS CFLAGS
cargo xtask sbom kubectl-gmsa --features "$features" --target "$target" >"$name.cdx.json"
(
    cd "$out"
    find . -name "kubectl-gmsa_v${version}_*.tar.gz" -printf '%P\n' -o -name "kubectl-gmsa_v${version}_*.zip" \
        -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >checksums.txt
)
cargo xtask installers "$out"
say "$archive, $size bytes; $out/checksums.txt; $out/gmsa.yaml for krew"
