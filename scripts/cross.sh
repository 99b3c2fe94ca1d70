#!/usr/bin/env bash
# Builds the plugin for another system, packs it into target/dist with the manifests for installers, and runs
# it there: for Windows with wine, where it must print what the plugin for Linux prints; for arm64 with qemu.
#
#   scripts/cross.sh windows|arm64 [PROFILE]
#   scripts/cross.sh darwin
#
# For macOS it checks that the plugin compiles, and builds nothing.
#
# PROFILE is a profile of cargo; that of a release unless given. Where rustup has installed the standard library
# (rustup target add), the project's own compiler builds it, else Debian's (scripts/sid-build.sh). Root.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

system=${1:-}
profile=${2:-release}
case $system in
    windows) target=x86_64-pc-windows-gnu tests='test(/^windows_program::/) | test(scoop_and_winget)' ;;
    arm64) target=aarch64-unknown-linux-gnu tests='test(the_archive_for_arm64)' ;;
    darwin) exec scripts/sid-build.sh --check aarch64-apple-darwin ;;
    *) die "name a system: scripts/cross.sh windows|arm64 [PROFILE], or scripts/cross.sh darwin" ;;
esac
tests="$tests | test(every_archive)"
# Wine is in the chroot, and the C library for what its compiler has built.
chroot=
if [ "$system" = windows ] || ! has_std "$target"; then
    chroot=$(scripts/sid-build.sh --chroot)
fi
if has_std "$target"; then
    scripts/dist.sh "$profile" "$target"
    # The C library that Debian's packages for cross-building have.
    export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
else
    program=$(scripts/sid-build.sh "$profile" "$target")
    GMSA_PROGRAM=$program scripts/dist.sh "$profile" "$target"
    export QEMU_LD_PREFIX=$chroot/usr/aarch64-linux-gnu
fi
if [ "$system" = windows ]; then
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
    GMSA_WINDOWS_ARCHIVE=$(cd "${CARGO_TARGET_DIR:-target}/dist" && pwd)/kubectl-gmsa_v${version}_windows_amd64.zip
    export GMSA_WINDOWS_ARCHIVE
    say "making the directory of wine"
    scripts/wine.sh wineboot --init
    scripts/control-plane.sh
else
    have qemu-aarch64-static || install_packages qemu-user-static
fi
have cargo-nextest || install_crate cargo-nextest "$cargo_nextest_version"
cargo nextest run --locked --workspace --features gmsa-webhook/otlp -E "$tests"
