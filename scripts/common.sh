# What the scripts share. Sourced, from the root of the repository.
# shellcheck shell=bash disable=SC2034

# Where cargo installs programs may not be on the PATH.
PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH

cargo_deny_version=0.20.2
cargo_nextest_version=0.9.143

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
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# arch_of TARGET: the processor of a target of Rust, as images and archives call it.
arch_of() {
    case $1 in
        x86_64-*) echo amd64 ;;
        aarch64-*) echo arm64 ;;
        *) die "nothing is made for $1" ;;
    esac
}

# install_crate NAME VERSION: builds a tool into cargo's own directory, and says so.
install_crate() {
    say "installing $1 $2 with cargo install"
    cargo install --quiet --locked "$1" --version "$2"
}
