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

# install_crate NAME VERSION: builds a tool into cargo's own directory, and says so.
install_crate() {
    say "installing $1 $2 with cargo install"
    cargo install --quiet --locked "$1" --version "$2"
}
