#!/usr/bin/env bash
# Builds the plugin for a system whose standard library rustup has not installed, in a chroot of Debian's
# packages (sid) that is kept in the cache, and prints the path of the program.
#
#   scripts/sid-build.sh PROFILE TARGET
#   scripts/sid-build.sh --check TARGET
#   scripts/sid-build.sh --chroot
#
# PROFILE is a profile of cargo. TARGET is x86_64-pc-windows-gnu or aarch64-unknown-linux-gnu. --check compiles
# the Rust code for a target of macOS as far as that shows errors, and makes no program: the C code of libraries
# needs Apple's headers, so a stand-in for the C compiler makes empty files of it. --chroot prints the directory
# of the chroot, once it has been made. JOBS is the number of compilers at once. Root; the chroot
# takes 4 GB and five minutes, once, the first build about 15 minutes of one core.
#
# The compiler is Debian's, not that of rust-toolchain.toml. For Windows and macOS, whose standard library no
# package has, it is built from the package rust-src. A program for Linux needs the C library of sid: good for a test,
# not for a release.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

root=$(sid_chroot)
packages=(rustc cargo rust-src gcc libc6-dev cmake make
    gcc-mingw-w64-x86-64-win32 nasm wine64 wine
    libstd-rust-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross libkrb5-dev libclang-dev)

[ "$(id -u)" -eq 0 ] || die "failed to make a chroot of Debian's packages: that takes root"

make_chroot() {
    have debootstrap || install_packages debootstrap
    local part=$root.part mirror
    mirror=$(update_apt_once && debian_mirrors | head -n 1)
    say "installing a chroot of Debian's packages in $root"
    rm -rf "$part"
    mkdir -p "${part%/*}"
    debootstrap --variant=minbase sid "$part" "$mirror" >"$part.log" 2>&1 ||
        { tail -n 20 "$part.log" >&2; die "failed to install Debian sid from $mirror"; }
    cat >"$part/etc/dpkg/dpkg.cfg.d/90small" <<'CONFIGURATION'
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
force-unsafe-io
CONFIGURATION
    # The signature is checked; the age is not, because a mirror may lag.
    cat >"$part/etc/apt/apt.conf.d/90build" <<'CONFIGURATION'
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Install-Recommends "false";
CONFIGURATION
    # Packages start their daemons unless this says no.
    printf '#!/bin/sh\nexit 101\n' >"$part/usr/sbin/policy-rc.d"
    chmod 755 "$part/usr/sbin/policy-rc.d"
    cp -L /etc/resolv.conf "$part/etc/resolv.conf"
    local inside=(chroot "$part" env DEBIAN_FRONTEND=noninteractive)
    {
        "${inside[@]}" dpkg --add-architecture arm64
        "${inside[@]}" apt-get update -qq
        "${inside[@]}" apt-get install -y -qq "${packages[@]}"
        "${inside[@]}" apt-get clean
    } >>"$part.log" 2>&1 || { tail -n 20 "$part.log" >&2; die "failed to install ${packages[*]}"; }
    rm -rf "$part"/var/lib/apt/lists/* "$part.log"
    # Moved into place whole, so that a run that is cut off leaves nothing half.
    mv "$part" "$root"
}
[ -x "$root/usr/bin/rustc" ] || make_chroot
if [ "${1:-}" = --chroot ]; then
    echo "$root"
    exit
fi
profile=$1
target=$2

mkdir -p "${CARGO_TARGET_DIR:-target}/sid" "$root/src" "$root/target" "$root/cargo/registry"
own=$(cd "${CARGO_TARGET_DIR:-target}/sid" && pwd)
# The chroot's cargo asks no network: what the project is built from is fetched here, and for Windows and macOS
# what the standard library is built from.
cargo fetch --locked --quiet
case $target in
    *-windows-* | *-apple-*)
        RUSTC_BOOTSTRAP=1 cargo fetch --locked --quiet \
            --manifest-path "$root/usr/lib/rustlib/src/rust/library/Cargo.toml"
        ;;
esac
registry=${CARGO_HOME:-$HOME/.cargo}/registry
cat >"$root/build.sh" <<'BUILD'
set -euo pipefail
profile=$1
target=$2
cd /src
. scripts/common.sh
export CARGO_NET_OFFLINE=true CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=false CARGO_PROFILE_DEV_STRIP=symbols
if [ "$profile" = --check ]; then
    export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind SDKROOT=/tmp
    # Makes the file that -o or the name of an archive asks for.
    cat >/usr/local/bin/empty <<'EMPTY'
#!/bin/sh
for word in "$@"; do
    case $last in -o) : >"$word" ;; esac
    case $word in -o*?) : >"${word#-o}" ;; *.a) : >"$word" ;; esac
    last=$word
done
EMPTY
    chmod 755 /usr/local/bin/empty
    for tool in CC CXX AR RANLIB; do
        export "${tool}_${target//-/_}=/usr/local/bin/empty"
    done
    exec cargo check --locked --quiet --target "$target" -p kubectl-gmsa --all-targets >&2
fi
[ "$profile" = dev ] || without_paths
case $target in
    *-windows-*)
        export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind
        # What the linker puts at the start and the end of a program, which the package lacks.
        library=/usr/lib/rustlib/$target/lib
        mkdir -p "$library"
        for object in rsbegin rsend; do
            [ -f "$library/$object.o" ] || rustc --target "$target" --crate-type lib --emit=obj \
                -o "$library/$object.o" "/usr/lib/rustlib/src/rust/library/rtstartup/$object.rs"
        done
        cross_build "$target"
        ;;
    *)
        cross_build "$target"
        gssapi_at_run_time "$target"
        ;;
esac
cargo build --locked --quiet --profile "$profile" --target "$target" -p kubectl-gmsa --features gssapi \
    ${JOBS:+--jobs "$JOBS"} >&2
BUILD
if [ "$profile" = --check ]; then
    say "checking that the plugin compiles for $target with Debian's compiler"
else
    say "building the plugin for $target ($profile) with Debian's compiler"
fi
# The mounts end with the command.
# shellcheck disable=SC2016
unshare --mount --propagation private bash -euo pipefail -c '
    root=$1 own=$2 registry=$3
    shift 3
    mount --bind . "$root/src"
    mount --bind "$own" "$root/target"
    mount --bind "$registry" "$root/cargo/registry"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/cargo CARGO_HOME=/cargo \
        CARGO_TARGET_DIR=/target LANG=C.UTF-8 ${JOBS:+JOBS=$JOBS} bash /build.sh "$@"
' - "$root" "$own" "$registry" "$profile" "$target"
[ "$profile" != --check ] || exit 0
directory=$profile
[ "$profile" != dev ] || directory=debug
program=kubectl-gmsa
case $target in *-windows-*) program=kubectl-gmsa.exe ;; esac
echo "$own/$target/$directory/$program"
